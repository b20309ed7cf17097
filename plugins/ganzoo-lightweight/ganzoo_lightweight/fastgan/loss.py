"""The loss of FastGAN.

"Towards Faster and Stabilized GAN Training for High-fidelity Few-shot Image Synthesis" (Liu et
al., 2021), equations 2 to 4, https://arxiv.org/abs/2101.04775.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from ganzoo import DataSpec
from ganzoo.games import (
    AdversarialLoss,
    AdversarialOptions,
    Batch,
    Criterion,
    Loss,
    Turn,
    check_weight,
    with_adversarial_options,
)
from ganzoo_lightweight.fastgan.decoder import Discriminator, quarter, reduce

HINGE = Criterion(
    # -E[min(0, -1 + D(x))] - E[min(0, -1 - D(G(z)))], and -E[D(G(z))]
    d=lambda real, fake: relu(1 - real) + relu(1 + fake),
    g=lambda real, fake: -fake,
)


class FastGAN(AdversarialLoss):
    """Hinge loss; discriminator and decoder also reconstruct the real images; see `fastgan`."""

    def __init__(self, options: AdversarialOptions, reconstruction_weight: float) -> None:
        check_weight("reconstruction_weight", reconstruction_weight)
        super().__init__(HINGE, options)
        self.reconstruction_weight = reconstruction_weight
        discriminator, generator = self.players
        self.players = (replace(discriminator, trains=("discriminator", "decoder")), generator)

    def check(self, nets: Mapping[str, nn.Module], data: DataSpec) -> None:
        """Check that the discriminator returns the maps to decode."""
        super().check(nets, data)
        if not isinstance(nets["discriminator"], Discriminator):
            raise ValueError("its discriminator returns no maps to decode: --architecture fastgan")

    def discriminator(
        self, nets: Mapping[str, nn.Module], batch: Batch, turn: Turn
    ) -> dict[str, Tensor]:
        """Return the adversarial terms, and the error of the decoded real images."""
        fake, _ = self.fake_for_discriminator(nets["generator"], batch, turn)
        comparison = self.judge_both(nets["discriminator"], fake, batch, turn)
        terms = self.discriminator_terms(comparison, turn)
        error = reconstruction_error(nets["decoder"], comparison.real_output.heads)
        terms["reconstruction"] = turn.weigh("reconstruction", self.reconstruction_weight, error)
        return terms


def reconstruction_error(decoder: nn.Module, heads: Mapping[str, Tensor]) -> Tensor:
    """Return the mean absolute error of two decoded images for each image, (n,).

    ``|G(f) - T(x)|`` for the whole image from the 8x8 map, and for a random quarter of it from that
    quarter of the 16x16 map.

    Args:
        decoder: see `ganzoo_lightweight.fastgan.decoder.Decoder`.
        heads: the discriminator's heads for real images.
    """
    images, middle, last = heads["image"], heads["middle"], heads["last"]
    # From uniform numbers, as augmentations draw them: they do not depend on how a batch is split.
    which = (4 * torch.rand(len(images), 1, 1, 1, device=images.device)).long().flatten()
    part, whole = decoder(quarter(middle, which), last)
    side: int = decoder.side  # type: ignore[assignment]
    differences = part - reduce(quarter(images, which), side), whole - reduce(images, side)
    error_of_part, error_of_whole = (each.abs().mean((1, 2, 3)) for each in differences)
    error: Tensor = error_of_part + error_of_whole
    return error


@with_adversarial_options()
def fastgan(options: AdversarialOptions, *, reconstruction_weight: float = 1.0) -> Loss:
    """FastGAN: hinge loss, and a discriminator that must be able to reconstruct its real images.

    "Towards Faster and Stabilized GAN Training for High-fidelity Few-shot Image Synthesis" (Liu et
    al., 2021), equations 2 to 4, https://arxiv.org/abs/2101.04775. The error of the reconstruction
    is the mean absolute difference of pixels; the authors' code uses LPIPS. Needs the architecture
    ``fastgan``.

    Args:
        reconstruction_weight: weight of the error of the reconstruction.
    """
    return FastGAN(options, reconstruction_weight)
