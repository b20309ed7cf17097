"""PatchGAN: discriminators of patches.

"Image-to-Image Translation with Conditional Adversarial Networks" (Isola et al., 2016), section
3.2.2 and appendix 6.1.2, https://arxiv.org/abs/1611.07004: C64-C128-C256-C512 and a convolution to
one logit for each patch, all with kernel size 4; no normalisation in the first, slope 0.2.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from ganzoo import ImageSpec
from ganzoo.errors import ArchitectureError
from ganzoo.nn import DiscriminatorOutput, init_normal

Norm = Literal["batch", "instance", "none"]
GeneratorNorm = Literal["batch", "instance", "instance-affine"]

MOST_WIDTHS = 8  # maximum channels of a map, in units of `width`
LOST = 2  # rows and columns that the last two convolutions, with stride 1, remove from a map


def make_norm(norm: Norm | GeneratorNorm, channels: int) -> nn.Module:
    """Return a normalisation layer for maps with this number of channels.

    ``instance-affine`` has a scale and a shift, so that it is BatchNorm with the statistics of a
    batch of one image.
    """
    match norm:
        case "batch":
            return nn.BatchNorm2d(channels)
        case "instance":
            return nn.InstanceNorm2d(channels)
        case "instance-affine":
            return nn.InstanceNorm2d(channels, affine=True)
        case "none":
            return nn.Identity()


class PatchDiscriminator(nn.Module):
    """A PatchGAN discriminator: images -> one logit for each patch.

    The receptive field of a logit is 70x70 pixels with three halvings, 34x34 with two and 16x16
    with one.

    Args:
        channels: channels of the input.
        width: channels of the first map. They double each time the side is halved, up to 8 times
            this number.
        layers: number of times that the side is halved.
        norm: normalisation of all maps except the first and the logits.
    """

    def __init__(self, channels: int, width: int, layers: int, norm: Norm) -> None:
        super().__init__()
        widths = [min(2**stage, MOST_WIDTHS) * width for stage in range(layers + 1)]
        body: list[nn.Module] = [nn.Conv2d(channels, width, 4, 2, 1), nn.LeakyReLU(0.2)]
        for stage in range(1, layers + 1):
            stride = 1 if stage == layers else 2
            # A bias before a normalisation has no effect.
            bias = norm == "none"
            body += [
                nn.Conv2d(widths[stage - 1], widths[stage], 4, stride, 1, bias=bias),
                make_norm(norm, widths[stage]),
                nn.LeakyReLU(0.2),
            ]
        self.body = nn.Sequential(*body)
        self.last = nn.Conv2d(widths[-1], 1, 4, 1, 1)
        init_normal(self)

    def forward(self, images: Tensor) -> DiscriminatorOutput:
        """Return logits (n, 1, rows, columns) and features of (n, channels, height, width)."""
        features = self.body(images)
        return DiscriminatorOutput(self.last(features), features)


class PairDiscriminator(PatchDiscriminator):
    """A PatchGAN discriminator of an image and its condition: one logit for each patch."""

    def forward(self, images: Tensor, condition: Tensor) -> DiscriminatorOutput:  # type: ignore[override]
        """Return logits (n, 1, rows, columns) and features of images and their conditions."""
        return super().forward(torch.cat([condition, images], 1))


def check_patches(name: str, image: ImageSpec, layers: int) -> None:
    """Raise an error if images are too small for the number of halvings.

    Raises:
        ArchitectureError: the last map would be empty.
    """
    side = min(image.height, image.width)
    if side // 2**layers <= LOST:
        most = max(n for n in range(side.bit_length()) if side // 2**n > LOST)
        raise ArchitectureError(
            f"architecture {name!r} cannot use patch_layers={layers} for images of {image}: the "
            f"last map of the discriminator would be empty. Use --architecture.patch-layers {most} "
            "or less."
        )
