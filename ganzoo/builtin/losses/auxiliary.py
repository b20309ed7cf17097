"""Adversarial losses whose discriminator answers a further question."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss

from ganzoo import DataSpec
from ganzoo.builtin.losses.adversarial import NONSATURATING
from ganzoo.games import (
    AdversarialLoss,
    AdversarialOptions,
    Batch,
    Loss,
    Turn,
    check_weight,
    with_adversarial_options,
)


class AuxiliaryClassifier(AdversarialLoss):
    """Both players want images to be classified right; see `acgan`."""

    asks = frozenset(["class"])

    def __init__(self, options: AdversarialOptions, class_weight: float) -> None:
        check_weight("class_weight", class_weight)
        super().__init__(NONSATURATING, options)
        self.class_weight = class_weight

    def check(self, nets: Mapping[str, nn.Module], data: DataSpec) -> None:
        """Need a discriminator that tells classes."""
        if "class" not in getattr(nets["discriminator"], "heads", ()):
            raise ValueError(
                "it needs a discriminator that tells the class: "
                "--architecture.conditioning auxiliary"
            )
        super().check(nets, data)

    def discriminator(
        self, nets: Mapping[str, nn.Module], batch: Batch, turn: Turn
    ) -> dict[str, Tensor]:
        """Tell real from fake, and the class of both."""
        fake, _ = self.fake_for_discriminator(nets["generator"], batch, turn)
        comparison = self.judge_both(nets["discriminator"], fake, batch, turn)
        terms = self.discriminator_terms(comparison, turn)
        for name, judgement in (("real", comparison.real_output), ("fake", comparison.fake_output)):
            terms[f"class_{name}"] = self._classify(judgement.heads["class"], batch)
        return terms

    def generator(
        self, nets: Mapping[str, nn.Module], batch: Batch, turn: Turn
    ) -> dict[str, Tensor]:
        """Be taken for real, and for the right class."""
        fake, _ = self.fake_for_generator(nets["generator"], batch, turn)
        loss, judgement = self.generator_terms(nets["discriminator"], fake, batch, turn)
        return {"adversarial": loss, "class": self._classify(judgement.heads["class"], batch)}

    def _classify(self, logits: Tensor, batch: Batch) -> Tensor:
        assert batch.labels is not None
        return self.class_weight * cross_entropy(logits, batch.labels, reduction="none")


class MutualInformation(AdversarialLoss):
    """Both players want the codes to be read off the images; see `infogan`."""

    asks = frozenset(["categorical", "continuous"])

    def __init__(
        self, options: AdversarialOptions, categorical_weight: float, continuous_weight: float
    ) -> None:
        check_weight("categorical_weight", categorical_weight)
        check_weight("continuous_weight", continuous_weight)
        super().__init__(NONSATURATING, options)
        self.categorical_weight = categorical_weight
        self.continuous_weight = continuous_weight

    def check(self, nets: Mapping[str, nn.Module], data: DataSpec) -> None:
        """Need a generator that reads codes and a discriminator that tells them."""
        if not {"categorical", "continuous"} & set(getattr(nets["discriminator"], "heads", ())):
            raise ValueError(
                "it needs codes in the latent: --architecture.categorical-code 10, "
                "--architecture.continuous-codes 2, or both"
            )
        super().check(nets, data)

    def discriminator(
        self, nets: Mapping[str, nn.Module], batch: Batch, turn: Turn
    ) -> dict[str, Tensor]:
        """Tell real from fake, and the codes of the fake."""
        fake, z = self.fake_for_discriminator(nets["generator"], batch, turn)
        comparison = self.judge_both(nets["discriminator"], fake, batch, turn)
        return self.discriminator_terms(comparison, turn) | self._information(
            nets, z, comparison.fake_output.heads
        )

    def generator(
        self, nets: Mapping[str, nn.Module], batch: Batch, turn: Turn
    ) -> dict[str, Tensor]:
        """Be taken for real, and show the codes."""
        fake, z = self.fake_for_generator(nets["generator"], batch, turn)
        loss, judgement = self.generator_terms(nets["discriminator"], fake, batch, turn)
        return {"adversarial": loss} | self._information(nets, z, judgement.heads)

    def _information(
        self, nets: Mapping[str, nn.Module], z: Tensor | None, heads: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        # -log Q(c | x): a categorical Q, and a normal one of unit variance for continuous codes.
        codes: dict[str, Tensor] = nets["generator"].codes(z)  # type: ignore[operator]
        terms = {}
        if "categorical" in codes:
            loss = cross_entropy(heads["categorical"], codes["categorical"], reduction="none")
            terms["categorical"] = self.categorical_weight * loss
        if "continuous" in codes:
            loss = 0.5 * mse_loss(heads["continuous"], codes["continuous"], reduction="none").sum(1)
            terms["continuous"] = self.continuous_weight * loss
        return terms


@with_adversarial_options()
def acgan(options: AdversarialOptions, *, class_weight: float = 1.0) -> Loss:
    """The discriminator also classifies, real and fake images alike.

    "Conditional Image Synthesis with Auxiliary Classifier GANs" (Odena et al., 2017), equations 2
    and 3, https://arxiv.org/abs/1610.09585.

    Args:
        class_weight: of the cross-entropy of classes.
    """
    return AuxiliaryClassifier(options, class_weight)


@with_adversarial_options()
def infogan(
    options: AdversarialOptions, *, categorical_weight: float = 1.0, continuous_weight: float = 0.1
) -> Loss:
    """Codes in the latent that can be read off the image.

    "InfoGAN" (Chen et al., 2016), equations 5 and 6, https://arxiv.org/abs/1606.03657. Needs an
    architecture with ``categorical_code`` or ``continuous_codes``.

    Args:
        categorical_weight: lambda for the categorical code.
        continuous_weight: lambda for the continuous codes.
    """
    return MutualInformation(options, categorical_weight, continuous_weight)
