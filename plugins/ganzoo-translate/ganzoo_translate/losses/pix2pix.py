"""pix2pix: a conditional GAN with an L1 term."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from torch import Tensor, nn

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
from ganzoo.nn import inputs_of
from ganzoo_translate.losses.criteria import CRITERIA, halve_discriminator


class Pix2Pix(AdversarialLoss):
    """An adversarial loss plus the L1 distance of a fake from its true image, see `pix2pix`.

    Args:
        options: options of adversarial losses.
        criterion: the losses of both players.
        l1_weight: weight of the L1 term.
    """

    generator_reads_real = True

    def __init__(self, options: AdversarialOptions, criterion: Criterion, l1_weight: float) -> None:
        check_weight("l1_weight", l1_weight)
        super().__init__(criterion, options)
        self.l1_weight = l1_weight

    def check(self, nets: Mapping[str, nn.Module], data: DataSpec) -> None:
        """Raise an error unless the data has pairs and the generator has a condition image.

        Raises:
            ValueError: the data has no pairs, or the generator has no input ``condition``.
        """
        if data.condition is None:
            raise ValueError(
                "it needs pairs of images, but this data has single images. "
                "Use --dataset paired or --dataset lineart"
            )
        if not data.paired:
            raise ValueError(
                "it needs pairs of images, but this data has two domains without pairs. "
                "Use --dataset paired, or --loss cyclegan --architecture cyclegan"
            )
        if "condition" not in inputs_of(nets["generator"]):
            raise ValueError("it needs a generator that translates images. Use --architecture unet")
        super().check(nets, data)

    def generator(
        self, nets: Mapping[str, nn.Module], batch: Batch, turn: Turn
    ) -> dict[str, Tensor]:
        """Return the adversarial term and the L1 term of the generator."""
        fake, _ = self.fake_for_generator(nets["generator"], batch, turn)
        loss, _ = self.generator_terms(nets["discriminator"], fake, batch, turn)
        distance = (fake - batch.images).abs().flatten(1).mean(1)
        return {"adversarial": loss, "l1": turn.weigh("l1", self.l1_weight, distance)}


@with_adversarial_options()
def pix2pix(
    options: AdversarialOptions,
    *,
    l1_weight: float = 100.0,
    criterion: Literal["nonsaturating", "lsgan"] = "nonsaturating",
    halved_discriminator: bool = True,
) -> Loss:
    """pix2pix: a conditional GAN loss plus the mean absolute difference, cGAN + lambda L1.

        discriminator: -log D(c, x) - log(1 - D(c, G(c)))
        generator:     -log D(c, G(c)) + l1_weight |x - G(c)|
        with the condition image c

    "Image-to-Image Translation with Conditional Adversarial Networks" (Isola et al., 2016),
    equation 4, https://arxiv.org/abs/1611.07004. A discriminator with the input ``condition``
    judges each image together with its condition image.

    Args:
        l1_weight: lambda, the weight of the mean absolute difference of images in [-1, 1].
        criterion: ``nonsaturating`` as in the paper, or ``lsgan`` for least squares.
        halved_discriminator: divide the discriminator's adversarial term by 2, as in the paper.
            Adam hardly depends on this factor; penalties are relative to it.
    """
    chosen = CRITERIA[criterion]
    if halved_discriminator:
        chosen = halve_discriminator(chosen)
    return Pix2Pix(options, chosen, l1_weight)
