"""The generator and the discriminator, which mirror each other.

"Progressive Growing of GANs for Improved Quality, Stability, and Variation" (Karras et al., 2018),
table 2 and figure 2, https://arxiv.org/abs/1710.10196.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, leaky_relu

from ganzoo_pgan.layers import (
    SLOPE,
    Activation,
    EqualisedConv2d,
    EqualisedLinear,
    MinibatchDeviation,
    PixelNorm,
)


class Generator(nn.Module):
    """z -> images: a map of the smallest side, then two convolutions after each doubling.

    Args:
        latent_dim: length of z, including one-hot labels.
        channels: channels of the images.
        widths: channels of the maps by side, from the smallest.
        base: height and width of the smallest map.
        pixel_norm: normalise z and each map.
        alpha: share of the largest side in the images; the next smaller side has the rest.
        bounded: whether a tanh follows the last layer.
    """

    # Networks for two sides have the same layers next to the smallest map.
    aligned_at: ClassVar = {"blocks": "start", "to_image": "same", "to_smaller_image": "same"}

    def __init__(
        self,
        latent_dim: int,
        channels: int,
        widths: Sequence[int],
        base: tuple[int, int],
        *,
        pixel_norm: bool,
        alpha: float,
        bounded: bool,
    ) -> None:
        super().__init__()
        self.base, self.alpha, self.bounded = base, alpha, bounded
        self.norm = PixelNorm() if pixel_norm else nn.Identity()
        self.activation = Activation(self.norm)
        self.first = EqualisedLinear(latent_dim, widths[0] * math.prod(base))
        self.smallest = EqualisedConv2d(widths[0], widths[0], 3)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Upsample(scale_factor=2.0),
                EqualisedConv2d(below, width, 3),
                self.activation,
                EqualisedConv2d(width, width, 3),
                self.activation,
            )
            for below, width in pairwise(widths)
        )
        self.to_image = EqualisedConv2d(widths[-1], channels, 1)
        if alpha < 1:
            self.to_smaller_image = EqualisedConv2d(widths[-2], channels, 1)

    def forward(self, z: Tensor) -> Tensor:
        """Return images (n, channels, height, width), in [-1, 1] in eval mode."""
        h = self.first(self.norm(z)).unflatten(1, (-1, *self.base))
        h = self.activation(self.smallest(self.activation(h)))
        for block in self.blocks:
            h, smaller = block(h), h
        images: Tensor = self.to_image(h)
        if self.alpha < 1:
            enlarged = interpolate(self.to_smaller_image(smaller), scale_factor=2.0)
            images = self.alpha * images + (1 - self.alpha) * enlarged
        if self.bounded:
            return images.tanh()
        return images if self.training else images.clamp(-1, 1)


class Trunk(nn.Module):
    """The layers of the discriminator before its heads: images -> features (n, width).

    Args:
        channels: channels of the images, including those of conditions and labels.
        widths: channels of the maps by side, from the smallest.
        base: height and width of the smallest map.
        alpha: share of the largest side in the second map; the halved images have the rest.
    """

    aligned_at: ClassVar = {"blocks": "end", "from_image": "same", "from_smaller_image": "same"}

    def __init__(
        self, channels: int, widths: Sequence[int], base: tuple[int, int], *, alpha: float
    ) -> None:
        super().__init__()
        self.alpha = alpha
        self.from_image = EqualisedConv2d(channels, widths[-1], 1)
        if alpha < 1:
            self.from_smaller_image = EqualisedConv2d(channels, widths[-2], 1)
        activation = nn.LeakyReLU(SLOPE)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                EqualisedConv2d(width, width, 3),
                activation,
                EqualisedConv2d(width, below, 3),
                activation,
                nn.AvgPool2d(2),
            )
            for width, below in pairwise(reversed(widths))
        )
        self.smallest = nn.Sequential(
            MinibatchDeviation(),
            EqualisedConv2d(widths[0] + 1, widths[0], 3),
            activation,
            nn.Flatten(),
            EqualisedLinear(widths[0] * math.prod(base), widths[0]),
            activation,
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return features (n, width of the smallest map)."""
        h = self.blocks[0](leaky_relu(self.from_image(images), SLOPE))
        if self.alpha < 1:
            smaller = leaky_relu(self.from_smaller_image(avg_pool2d(images, 2)), SLOPE)
            h = self.alpha * h + (1 - self.alpha) * smaller
        for block in self.blocks[1:]:
            h = block(h)
        features: Tensor = self.smallest(h)
        return features
