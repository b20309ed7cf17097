"""Adversarial losses whose discriminator has further heads: classes, or codes."""

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
    """Both players minimise the classification error of images; see `acgan`."""

    heads_used = frozenset(["class"])

    def __init__(self, options: AdversarialOptions, class_weight: float) -> None:
        check_weight("class_weight", class_weight)
        super().__init__(NONSATURATING, options)
        self.class_weight = class_weight

    def check(self, nets: Mapping[str, nn.Module], data: DataSpec) -> None:
        """Check that the discriminator has a class head."""
        if "class" not in getattr(nets["discriminator"], "heads", ()):
            raise ValueError(
                "it needs a discriminator that predicts the class: "
                "--architecture.conditioning auxiliary"
            )
        super().check(nets, data)

    def discriminator(
        self, nets: Mapping[str, nn.Module], batch: Batch, turn: Turn
    ) -> dict[str, Tensor]:
        """Return the adversarial terms, and the classification errors of real and fake images."""
        fake, _ = self.fake_for_discriminator(nets["generator"], batch, turn)
        comparison = self.judge_both(nets["discriminator"], fake, batch, turn)
        terms = self.discriminator_terms(comparison, turn)
        for name, output in (("real", comparison.real_output), ("fake", comparison.fake_output)):
            term = f"class_{name}"
            terms[term] = self._class_term(term, output.heads["class"], batch, turn)
        return terms

    def generator(
        self, nets: Mapping[str, nn.Module], batch: Batch, turn: Turn
    ) -> dict[str, Tensor]:
        """Return the adversarial term, and the classification error of fake images."""
        fake, _ = self.fake_for_generator(nets["generator"], batch, turn)
        loss, output = self.generator_terms(nets["discriminator"], fake, batch, turn)
        error = self._class_term("class", output.heads["class"], batch, turn)
        return {"adversarial": loss, "class": error}

    def _class_term(self, name: str, logits: Tensor, batch: Batch, turn: Turn) -> Tensor:
        assert batch.labels is not None
        error = cross_entropy(logits, batch.labels, reduction="none")
        return turn.weigh(name, self.class_weight, error)


class MutualInformation(AdversarialLoss):
    """Both players minimise the error of the predicted codes; see `infogan`."""

    heads_used = frozenset(["categorical", "continuous"])

    def __init__(
        self, options: AdversarialOptions, categorical_weight: float, continuous_weight: float
    ) -> None:
        check_weight("categorical_weight", categorical_weight)
        check_weight("continuous_weight", continuous_weight)
        super().__init__(NONSATURATING, options)
        self.categorical_weight = categorical_weight
        self.continuous_weight = continuous_weight

    def check(self, nets: Mapping[str, nn.Module], data: DataSpec) -> None:
        """Check that the discriminator has a head for codes."""
        if not {"categorical", "continuous"} & set(getattr(nets["discriminator"], "heads", ())):
            raise ValueError(
                "it needs codes in the latent: --architecture.categorical-code 10, "
                "--architecture.continuous-codes 2, or both"
            )
        super().check(nets, data)

    def discriminator(
        self, nets: Mapping[str, nn.Module], batch: Batch, turn: Turn
    ) -> dict[str, Tensor]:
        """Return the adversarial terms, and the errors of the codes of fake images."""
        fake, z = self.fake_for_discriminator(nets["generator"], batch, turn)
        comparison = self.judge_both(nets["discriminator"], fake, batch, turn)
        return self.discriminator_terms(comparison, turn) | self._code_terms(
            nets, z, comparison.fake_output.heads, turn
        )

    def generator(
        self, nets: Mapping[str, nn.Module], batch: Batch, turn: Turn
    ) -> dict[str, Tensor]:
        """Return the adversarial term, and the errors of the codes of fake images."""
        fake, z = self.fake_for_generator(nets["generator"], batch, turn)
        loss, output = self.generator_terms(nets["discriminator"], fake, batch, turn)
        return {"adversarial": loss} | self._code_terms(nets, z, output.heads, turn)

    def _code_terms(
        self,
        nets: Mapping[str, nn.Module],
        z: Tensor | None,
        heads: Mapping[str, Tensor],
        turn: Turn,
    ) -> dict[str, Tensor]:
        # -log Q(c | x): Q is categorical, or normal with unit variance for continuous codes.
        codes: dict[str, Tensor] = nets["generator"].codes(z)  # type: ignore[operator]
        terms = {}
        if "categorical" in codes:
            loss = cross_entropy(heads["categorical"], codes["categorical"], reduction="none")
            terms["categorical"] = turn.weigh("categorical", self.categorical_weight, loss)
        if "continuous" in codes:
            loss = 0.5 * mse_loss(heads["continuous"], codes["continuous"], reduction="none").sum(1)
            terms["continuous"] = turn.weigh("continuous", self.continuous_weight, loss)
        return terms


@with_adversarial_options()
def acgan(options: AdversarialOptions, *, class_weight: float = 1.0) -> Loss:
    """Auxiliary classifier GAN: the discriminator also classifies real and fake images.

        discriminator: -log D(x) - log(1 - D(G(z))) - class_weight (log P(y|x) + log P(y|G(z)))
        generator:     -log D(G(z)) - class_weight log P(y|G(z))

    "Conditional Image Synthesis with Auxiliary Classifier GANs" (Odena et al., 2017), equations 2
    and 3, https://arxiv.org/abs/1610.09585.

    Args:
        class_weight: weight of the cross-entropy of classes.
    """
    return AuxiliaryClassifier(options, class_weight)


@with_adversarial_options()
def infogan(
    options: AdversarialOptions, *, categorical_weight: float = 1.0, continuous_weight: float = 0.1
) -> Loss:
    """InfoGAN: the discriminator also predicts codes, which are part of the latent.

        discriminator: -log D(x) - log(1 - D(G(z))) - weight log Q(c|G(z))
        generator:     -log D(G(z)) - weight log Q(c|G(z))

    "InfoGAN" (Chen et al., 2016), equations 5 and 6, https://arxiv.org/abs/1606.03657. Needs an
    architecture with ``categorical_code`` or ``continuous_codes``.

    Args:
        categorical_weight: weight of the categorical code, the paper's lambda.
        continuous_weight: weight of the continuous codes, the paper's lambda.
    """
    return MutualInformation(options, categorical_weight, continuous_weight)
