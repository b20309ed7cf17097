"""CycleGAN: two translators that are inverse to each other."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from ganzoo import DataSpec
from ganzoo.games import (
    AdversarialOptions,
    Batch,
    Loss,
    Player,
    Turn,
    WrappedDiscriminator,
    check_weight,
)
from ganzoo.nn import generate, inputs_of
from ganzoo_translate.losses.criteria import LEAST_SQUARES, halve_discriminator
from ganzoo_translate.losses.pool import ImagePool

CRITERION = halve_discriminator(LEAST_SQUARES)


class CycleGan(Loss):
    """The loss of CycleGAN, see `cyclegan`.

    The generators play first and share their fakes with the discriminators.

    Args:
        cycle_weight: weight of the cycle terms.
        identity_weight: weight of the identity terms, relative to `cycle_weight`.
        pool_size: maximum number of past fakes for each discriminator.
    """

    players = (
        Player("generators", trains=("generator", "reverse_generator"), reads_real=True),
        Player(
            "discriminators", trains=("discriminator", "reverse_discriminator"), reads_real=True
        ),
    )
    exported_roles = ("generator", "reverse_generator")

    def __init__(self, cycle_weight: float, identity_weight: float, pool_size: int) -> None:
        super().__init__()
        check_weight("cycle_weight", cycle_weight)
        check_weight("identity_weight", identity_weight)
        self.cycle_weight = cycle_weight
        self.identity_weight = identity_weight
        self.pool, self.reverse_pool = ImagePool(pool_size), ImagePool(pool_size)

    def check(self, nets: Mapping[str, nn.Module], data: DataSpec) -> None:
        """Raise an error unless there are two domains of one size and generators for images.

        Raises:
            ValueError: the data has one domain, two sizes or two numbers of channels, or a
                generator has other inputs.
        """
        if data.condition is None:
            raise ValueError("it needs images of two domains. Use --dataset unpaired")
        if data.condition.shape[1:] != data.image.shape[1:]:
            raise ValueError(
                f"it needs two domains of one size, but these are {data.condition} and "
                f"{data.image}. Use --dataset unpaired"
            )
        if data.condition != data.image:
            raise ValueError(
                f"it needs two domains with the same channels, but these are {data.condition} and "
                f"{data.image}. Use one number for --dataset.channels and "
                "--dataset.condition-channels"
            )
        for role in self.exported_roles:
            if inputs_of(nets[role]) != ("condition",):
                raise ValueError(
                    f"it needs a {role} whose only input is an image. Use --architecture cyclegan"
                )

    def generators(
        self, nets: Mapping[str, nn.Module], batch: Batch, turn: Turn
    ) -> dict[str, Tensor]:
        """Return the adversarial, cycle and identity terms of both generators."""
        assert batch.condition is not None
        forward, reverse = nets["generator"], nets["reverse_generator"]
        fake = _translate(forward, batch.condition)
        reverse_fake = _translate(reverse, batch.images)
        turn.shared["fake"], turn.shared["reverse_fake"] = fake.detach(), reverse_fake.detach()
        cycle = _distance(_translate(reverse, fake), batch.condition)
        reverse_cycle = _distance(_translate(forward, reverse_fake), batch.images)
        terms = {
            "adversarial": self._generator_terms(nets["discriminator"], fake, batch, turn),
            "reverse_adversarial": self._generator_terms(
                nets["reverse_discriminator"], reverse_fake, batch, turn
            ),
            "cycle": turn.weigh("cycle", self.cycle_weight, cycle),
            "reverse_cycle": turn.weigh("reverse_cycle", self.cycle_weight, reverse_cycle),
        }
        if self.identity_weight:
            weight = self.cycle_weight * self.identity_weight
            identity = _distance(_translate(forward, batch.images), batch.images)
            reverse_identity = _distance(_translate(reverse, batch.condition), batch.condition)
            terms |= {
                "identity": turn.weigh("identity", weight, identity),
                "reverse_identity": turn.weigh("reverse_identity", weight, reverse_identity),
            }
        return terms

    def discriminators(
        self, nets: Mapping[str, nn.Module], batch: Batch, turn: Turn
    ) -> dict[str, Tensor]:
        """Return the adversarial terms of both discriminators, for real images and pooled fakes."""
        assert batch.condition is not None
        fake = self.pool.exchange(turn.shared["fake"])
        reverse_fake = self.reverse_pool.exchange(turn.shared["reverse_fake"])
        terms = {}
        for prefix, real_images, fake_images in (
            ("", batch.images, fake),
            ("reverse_", batch.condition, reverse_fake),
        ):
            discriminate = _wrap(nets[f"{prefix}discriminator"], batch, turn)
            on_real, on_fake = discriminate(real_images).logits, discriminate(fake_images).logits
            terms[f"{prefix}adversarial"] = CRITERION.d(on_real, on_fake)
            for name, metric in CRITERION.metrics.items():
                turn.metrics[f"{prefix}{name}"] = metric(on_real.detach(), on_fake.detach())
        return terms

    def _generator_terms(
        self, discriminator: nn.Module, fake: Tensor, batch: Batch, turn: Turn
    ) -> Tensor:
        logits = _wrap(discriminator, batch, turn)(fake).logits
        return CRITERION.g(logits, logits)


def _wrap(discriminator: nn.Module, batch: Batch, turn: Turn) -> WrappedDiscriminator:
    return WrappedDiscriminator(discriminator, AdversarialOptions(), turn.progress, batch)


def _translate(generator: nn.Module, condition: Tensor) -> Tensor:
    """Return the translations of condition images, in their dtype."""
    return generate(generator, condition=condition).to(condition.dtype)


def _distance(a: Tensor, b: Tensor) -> Tensor:
    """Return the mean absolute difference of each sample, (n,)."""
    return (a - b).abs().flatten(1).mean(1)


def cyclegan(
    *, cycle_weight: float = 10.0, identity_weight: float = 0.5, pool_size: int = 50
) -> Loss:
    """CycleGAN: least-squares GAN losses in two domains, cycle consistency and identity.

    "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks" (Zhu et al.,
    2017), equation 3 and sections 4 and 5.2, https://arxiv.org/abs/1703.10593. Use it with the
    architecture ``cyclegan``. The bundle contains both generators. Load the reverse one with
    ``ganzoo.load(..., role="reverse_generator")``.

    Args:
        cycle_weight: lambda, the weight of the mean absolute difference between an image and its
            translation to the other domain and back.
        identity_weight: weight of the mean absolute difference between an image of a generator's
            target domain and its translation, relative to `cycle_weight`; 0 for no such term.
        pool_size: maximum number of past fakes that each discriminator sees again.
    """
    return CycleGan(cycle_weight, identity_weight, pool_size)
