"""Discriminators that judge patches.

"Image-to-Image Translation with Conditional Adversarial Networks" (Isola et al., 2016), section
3.2.2 and appendix 6.1.2, https://arxiv.org/abs/1611.07004: C64-C128-C256-C512 and a convolution to
one logit a patch, all with kernels of 4; no normalisation in the first, slope 0.2.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from ganzoo import ImageSpec
from ganzoo.errors import ArchitectureError
from ganzoo.nn import DiscriminatorOutput, init_normal

Norm = Literal["batch", "instance", "none"]

MOST_WIDTHS = 8  # channels of the widest map, in units of `width`
LOST = 2  # rows and columns that the last two convolutions, of stride 1, take from a map


def make_norm(norm: Norm, channels: int) -> nn.Module:
    """Return a layer that normalises maps of so many channels."""
    match norm:
        case "batch":
            return nn.BatchNorm2d(channels)
        case "instance":
            return nn.InstanceNorm2d(channels)
        case "none":
            return nn.Identity()


class PatchDiscriminator(nn.Module):
    """images -> a logit for each patch.

    With three halvings a logit sees 70x70 pixels, with two 34x34, with one 16x16.

    Args:
        channels: of what it judges.
        width: channels of the first map; each halving of the side doubles them, up to eight times.
        layers: halvings.
        norm: normalisation of every map but the first and the logits.
    """

    def __init__(self, channels: int, width: int, layers: int, norm: Norm) -> None:
        super().__init__()
        widths = [min(2**stage, MOST_WIDTHS) * width for stage in range(layers + 1)]
        body: list[nn.Module] = [nn.Conv2d(channels, width, 4, 2, 1), nn.LeakyReLU(0.2)]
        for stage in range(1, layers + 1):
            stride = 1 if stage == layers else 2
            # A norm takes any bias before it away.
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
        """Judge images (n, channels, height, width): logits (n, 1, rows, columns) and features."""
        features = self.body(images)
        return DiscriminatorOutput(self.last(features), features)


class PairDiscriminator(PatchDiscriminator):
    """An image beside the one it is to be made from -> a logit for each patch of both."""

    def forward(self, images: Tensor, condition: Tensor) -> DiscriminatorOutput:  # type: ignore[override]
        """Judge pairs: logits (n, 1, rows, columns) and features."""
        return super().forward(torch.cat([condition, images], 1))


def check_patches(name: str, image: ImageSpec, layers: int) -> None:
    """Refuse images that leave no patch to judge.

    Raises:
        ArchitectureError: more halvings than the image's side bears.
    """
    side = min(image.height, image.width)
    if side // 2**layers <= LOST:
        most = max(n for n in range(side.bit_length()) if side // 2**n > LOST)
        raise ArchitectureError(
            f"architecture {name!r} cannot judge patches of images of {image} with patch_layers="
            f"{layers}: nothing is left after so many halvings. --architecture.patch-layers {most}."
        )
