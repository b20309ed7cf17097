"""The generator.

"Towards Faster and Stabilized GAN Training for High-fidelity Few-shot Image Synthesis" (Liu et
al., 2021), section 3.1, https://arxiv.org/abs/2101.04775.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from torch import Tensor, nn
from torch.nn.functional import glu, normalize

from ganzoo.nn import LatentToMap
from ganzoo_lightweight.attention import Attention, AttentionKind
from ganzoo_lightweight.layers import Excitation, UpBlock, Upsampling

BASE = 4  # side of the first map
SKIP = 8  # how many times larger the map is that an excitation scales
FIRST_SKIP = 16  # side of the smallest map with an excitation


@dataclass(frozen=True)
class Design:
    """The options of the blocks.

    Attributes:
        upsampling: the layers that double the side.
        noise: whether blocks add noise in training mode.
        attention: the kind of attention.
        attention_sides: sides of the maps with attention.
        excitations: hidden channels of the excitations, by side of their small maps.
        bounded: whether the last layer is a tanh.
    """

    upsampling: Upsampling
    noise: bool
    attention: AttentionKind
    attention_sides: Sequence[int]
    excitations: Mapping[int, int]
    bounded: bool


class Generator(nn.Module):
    """z (n, latent_dim) -> images (n, channels, side, side).

    Args:
        latent_dim: length of z.
        widths: channels of the maps of 4, 8, 16, ... pixels per side.
        channels: channels of the images.
        design: the options of the blocks.
    """

    aligned_at: ClassVar = {"last": "same"}  # the blocks have the names of their sides

    def __init__(
        self, latent_dim: int, widths: Sequence[int], channels: int, design: Design
    ) -> None:
        super().__init__()
        sides = [BASE << k for k in range(len(widths))]
        by_side = dict(zip(sides, widths, strict=True))
        self.first = LatentToMap(latent_dim, 2 * widths[0], BASE)
        self.norm = nn.BatchNorm2d(2 * widths[0])
        self.attentions = nn.ModuleDict(
            {
                str(side): Attention(by_side[side], design.attention)
                for side in design.attention_sides
            }
        )
        self.excitations = nn.ModuleDict(
            {
                str(side): Excitation(by_side[side], by_side[SKIP * side], hidden)
                for side, hidden in design.excitations.items()
            }
        )
        self.blocks = nn.ModuleDict(
            {
                str(side): UpBlock(*pair, design.upsampling, noise=design.noise)
                for side, pair in zip(sides[:-1], pairwise(widths), strict=True)
            }
        )
        self.last = nn.Conv2d(widths[-1], channels, 3, padding=1)
        self.bounded = design.bounded

    def forward(self, z: Tensor) -> Tensor:
        """Return images; in eval mode, those of a linear last layer are clamped to [-1, 1]."""
        # Each pixel of the first map is scaled to length 1.
        x = normalize(glu(self.norm(self.first(z)), 1))
        factors: dict[int, Tensor] = {}
        for name, block in self.blocks.items():
            if name in self.attentions:
                x = self.attentions[name](x)
            x, side = block(x), str(2 * int(name))
            if side in self.excitations:
                factors[SKIP * int(side)] = self.excitations[side](x)
            if int(side) in factors:
                x = x * factors[int(side)]
        images: Tensor = self.last(x)
        if self.bounded:
            return images.tanh()
        return images if self.training else images.clamp(-1, 1)
