"""Two translators that undo each other."""

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
from ganzoo_translate.losses.criteria import LEAST_SQUARES
from ganzoo_translate.losses.pool import ImagePool


class CycleGan(Loss):
    """The generators play first and hand their fakes on; see `cyclegan`.

    Args:
        cycle_weight: of the cycle terms.
        identity_weight: of the identity terms, relative to `cycle_weight`.
        pool_size: fakes of each kind that are remembered.
    """

    players = (
        Player("generators", trains=("generator", "reverse_generator")),
        Player("discriminators", trains=("discriminator", "reverse_discriminator")),
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
        """Need two domains of one size, and generators that read an image alone."""
        if data.condition is None:
            raise ValueError("it needs images of two domains: --dataset unpaired")
        if data.condition != data.image:
            raise ValueError(
                f"it needs domains of one size, and these are {data.condition} and {data.image}: "
                "--dataset unpaired"
            )
        for role in self.exported_roles:
            if inputs_of(nets[role]) != ("condition",):
                raise ValueError(f"it needs a {role} that reads an image alone")

    def generators(
        self, nets: Mapping[str, nn.Module], batch: Batch, turn: Turn
    ) -> dict[str, Tensor]:
        """Be taken for real, find the way back, and leave one's own domain alone."""
        assert batch.condition is not None
        there, back = nets["generator"], nets["reverse_generator"]
        fake = _translate(there, batch.condition)
        reverse_fake = _translate(back, batch.images)
        turn.shared["fake"], turn.shared["reverse_fake"] = fake.detach(), reverse_fake.detach()
        cycle = _distance(_translate(back, fake), batch.condition)
        reverse_cycle = _distance(_translate(there, reverse_fake), batch.images)
        terms = {
            "adversarial": self._generator_terms(nets["discriminator"], fake, batch, turn),
            "reverse_adversarial": self._generator_terms(
                nets["reverse_discriminator"], reverse_fake, batch, turn
            ),
            "cycle": self.cycle_weight * cycle,
            "reverse_cycle": self.cycle_weight * reverse_cycle,
        }
        if self.identity_weight:
            weight = self.cycle_weight * self.identity_weight
            same = _distance(_translate(there, batch.images), batch.images)
            reverse_same = _distance(_translate(back, batch.condition), batch.condition)
            terms |= {"identity": weight * same, "reverse_identity": weight * reverse_same}
        return terms

    def discriminators(
        self, nets: Mapping[str, nn.Module], batch: Batch, turn: Turn
    ) -> dict[str, Tensor]:
        """Tell real images from fakes, some of them of the past, in each domain."""
        assert batch.condition is not None
        fake = self.pool.exchange(turn.shared["fake"])
        reverse_fake = self.reverse_pool.exchange(turn.shared["reverse_fake"])
        terms = {}
        for prefix, real, made in (
            ("", batch.images, fake),
            ("reverse_", batch.condition, reverse_fake),
        ):
            discriminate = _wrap(nets[f"{prefix}discriminator"], batch, turn)
            on_real, on_fake = discriminate(real).logits, discriminate(made).logits
            terms[f"{prefix}adversarial"] = LEAST_SQUARES.d(on_real, on_fake)
            for name, metric in LEAST_SQUARES.metrics.items():
                turn.metrics[f"{prefix}{name}"] = metric(on_real.detach(), on_fake.detach())
        return terms

    def _generator_terms(
        self, discriminator: nn.Module, fake: Tensor, batch: Batch, turn: Turn
    ) -> Tensor:
        said = _wrap(discriminator, batch, turn)(fake).logits
        return LEAST_SQUARES.g(said, said)


def _wrap(discriminator: nn.Module, batch: Batch, turn: Turn) -> WrappedDiscriminator:
    return WrappedDiscriminator(discriminator, AdversarialOptions(), turn.progress, batch)


def _translate(generator: nn.Module, condition: Tensor) -> Tensor:
    """Return images of the condition's dtype, whatever precision the network runs in."""
    return generate(generator, condition=condition).to(condition.dtype)


def _distance(a: Tensor, b: Tensor) -> Tensor:
    """Mean absolute difference of each sample, (n,)."""
    return (a - b).abs().flatten(1).mean(1)


def cyclegan(
    *, cycle_weight: float = 10.0, identity_weight: float = 0.5, pool_size: int = 50
) -> Loss:
    """Least squares in two domains, and translations there and back that change nothing.

    "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks" (Zhu et al.,
    2017), equation 3 and sections 4 and 5.2, https://arxiv.org/abs/1703.10593. For the
    architecture of that name. Both generators are delivered; the one from images back to what they
    are made from is ``ganzoo.load(..., role="reverse_generator")``.

    Args:
        cycle_weight: lambda, of the mean absolute difference after there and back.
        identity_weight: of the change that a generator makes to images of its own domain, relative
            to `cycle_weight`; 0 for none.
        pool_size: fakes of each domain that are remembered and shown to its discriminator again.
    """
    return CycleGan(cycle_weight, identity_weight, pool_size)
