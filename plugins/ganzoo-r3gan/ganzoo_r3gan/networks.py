"""The generator and the discriminator, which mirror each other.

"The GAN is dead; long live the GAN! A Modern GAN Baseline" (Huang et al., 2024), section 4,
https://arxiv.org/abs/2501.05441.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn

from ganzoo_r3gan.blocks import Stage, enlarge, init_linear, reduce
from ganzoo_r3gan.resampling import Resampling


class Generator(nn.Module):
    """z -> images: a learned map with channels scaled by z, residual blocks, and upsampling.

    Args:
        latent_dim: length of z, including one-hot labels.
        channels: channels of the images.
        stages: stages from the smallest maps to those of the size of the images.
        resampling: the filter between stages.
        image_bias: whether the last convolution has a bias.
        bounded: whether a tanh follows.
    """

    # Networks for two sides have the same layers next to the smallest map.
    aligned_at: ClassVar = {"layers": "start", "to_image": "same"}

    def __init__(
        self,
        latent_dim: int,
        channels: int,
        stages: Sequence[Stage],
        resampling: Resampling,
        *,
        image_bias: bool,
        bounded: bool,
    ) -> None:
        super().__init__()
        self.bounded = bounded
        first, last = stages[0], stages[-1]
        depth = sum(stage.blocks for stage in stages)
        self.basis = nn.Parameter(torch.empty(first.width, *first.size))
        nn.init.normal_(self.basis)
        self.modulation = init_linear(nn.Linear(latent_dim, first.width, bias=False))
        layers = first.build(depth)
        for below, stage in pairwise(stages):
            layers += [*enlarge(below.width, stage.width, resampling), *stage.build(depth)]
        self.layers = nn.Sequential(*layers)
        self.to_image = init_linear(nn.Conv2d(last.width, channels, 1, bias=image_bias))

    def forward(self, z: Tensor) -> Tensor:
        """Return images (n, channels, height, width), in [-1, 1] in eval mode."""
        h = self.basis * self.modulation(z)[:, :, None, None]
        images: Tensor = self.to_image(self.layers(h))
        if self.bounded:
            return images.tanh()
        return images if self.training else images.clamp(-1, 1)


class Trunk(nn.Module):
    """The layers of the discriminator before its heads: images -> features (n, width).

    Args:
        channels: channels of the images, including those of conditions and labels.
        stages: stages from the smallest maps to those of the size of the images.
        resampling: the filter between stages.
        image_bias: whether the first convolution has a bias.
        linear: whether a linear layer follows.
    """

    aligned_at: ClassVar = {"layers": "end", "from_image": "same"}

    def __init__(
        self,
        channels: int,
        stages: Sequence[Stage],
        resampling: Resampling,
        *,
        image_bias: bool,
        linear: bool = False,
    ) -> None:
        super().__init__()
        first, last = stages[-1], stages[0]
        depth = sum(stage.blocks for stage in stages)
        self.from_image = init_linear(nn.Conv2d(channels, first.width, 1, bias=image_bias))
        layers = first.build(depth)
        for above, stage in pairwise(reversed(stages)):
            layers += [*reduce(above.width, stage.width, resampling), *stage.build(depth)]
        self.layers = nn.Sequential(*layers)
        self.pool = init_linear(
            nn.Conv2d(last.width, last.width, last.size, groups=last.width, bias=False)
        )
        self.linear = (
            init_linear(nn.Linear(last.width, last.width, bias=False)) if linear else nn.Identity()
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return features (n, width of the smallest map): a weighted sum of each channel."""
        features: Tensor = self.linear(self.pool(self.layers(self.from_image(images))).flatten(1))
        return features


class NoLogit(nn.Module):
    """features (n, width) -> 0, (n, 1): the logit of a projection discriminator is the product."""

    def forward(self, features: Tensor) -> Tensor:
        """Return zeros."""
        return features.new_zeros(len(features), 1)
