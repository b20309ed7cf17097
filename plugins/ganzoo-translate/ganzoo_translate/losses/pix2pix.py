"""A conditional GAN whose fakes stay near the image they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from torch import Tensor, nn

from ganzoo import DataSpec
from ganzoo.games import (
    AdversarialLoss,
    AdversarialOptions,
    Batch,
    Loss,
    Turn,
    check_weight,
    with_adversarial_options,
)
from ganzoo.nn import inputs_of
from ganzoo_translate.losses.criteria import CRITERIA


class Pix2Pix(AdversarialLoss):
    """The adversarial game, and the distance of a fake from its image; see `pix2pix`."""

    def __init__(self, options: AdversarialOptions, criterion: str, l1_weight: float) -> None:
        check_weight("l1_weight", l1_weight)
        super().__init__(CRITERIA[criterion], options)
        self.l1_weight = l1_weight

    def check(self, nets: Mapping[str, nn.Module], data: DataSpec) -> None:
        """Need pairs, and a generator that reads an image."""
        if data.condition is None:
            raise ValueError(
                "it needs pairs of images, and this data is of single ones: "
                "--dataset paired or --dataset lineart"
            )
        if not data.paired:
            raise ValueError(
                "it needs pairs of images, and this data is of two domains without pairs: "
                "--dataset paired, or --loss cyclegan --architecture cyclegan"
            )
        if "condition" not in inputs_of(nets["generator"]):
            raise ValueError(
                "it needs a generator that makes images out of images: --architecture unet"
            )
        super().check(nets, data)

    def generator(
        self, nets: Mapping[str, nn.Module], batch: Batch, turn: Turn
    ) -> dict[str, Tensor]:
        """Be taken for real, and stay near the image."""
        fake, _ = self.fake_for_generator(nets["generator"], batch, turn)
        loss, _ = self.generator_terms(nets["discriminator"], fake, batch, turn)
        distance = (fake - batch.images).abs().flatten(1).mean(1)
        return {"adversarial": loss, "l1": self.l1_weight * distance}


@with_adversarial_options()
def pix2pix(
    options: AdversarialOptions,
    *,
    l1_weight: float = 100.0,
    criterion: Literal["nonsaturating", "lsgan"] = "nonsaturating",
) -> Loss:
    """A conditional GAN plus the mean absolute difference: cGAN + lambda L1.

    "Image-to-Image Translation with Conditional Adversarial Networks" (Isola et al., 2016),
    equation 4, https://arxiv.org/abs/1611.07004. Every discriminator that reads ``condition`` sees
    each image beside the one it is made from.

    Args:
        l1_weight: lambda, of the mean over an image's values in [-1, 1].
        criterion: ``nonsaturating`` as in the paper, or ``lsgan`` for least squares.
    """
    return Pix2Pix(options, criterion, l1_weight)
