"""The generator, and the layers of the discriminator before its heads.

"Large Scale GAN Training for High Fidelity Natural Image Synthesis" (Brock et al., 2019), appendix
B, https://arxiv.org/abs/1809.11096.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from ganzoo_biggan.blocks import Attention, Block, DownBlock, UpBlock

BASE = 4  # side of the smallest map


class Generator(nn.Module):
    """z (n, latent_dim) and classes y, int64 (n,) -> images (n, channels, side, side).

    Args:
        latent_dim: length of z.
        classes: number of classes.
        class_dim: length of the embedding of a class.
        blocks: residual blocks.
        channels: channels of the images.
        attention_side: side of the map that attention changes.
        truncation: factor of z.
        epsilon: added to variances.
    """

    # Networks for two sides have the same layers next to the smallest map.
    aligned_at: ClassVar = {"blocks": "start", "norm": "same", "last": "same"}

    def __init__(
        self,
        latent_dim: int,
        classes: int,
        class_dim: int,
        blocks: Sequence[Block],
        channels: int,
        *,
        attention_side: int,
        truncation: float,
        epsilon: float,
    ) -> None:
        super().__init__()
        dim, first, last = latent_dim + class_dim, blocks[0].inputs, blocks[-1].outputs
        self.embedding = nn.Embedding(classes, class_dim)
        self.first = nn.Linear(dim, BASE * BASE * first)
        self.blocks = nn.ModuleList(UpBlock(block, dim, epsilon) for block in blocks)
        self.place, self.attention = _attend(blocks, attention_side)
        self.norm = nn.BatchNorm2d(last, eps=epsilon)
        self.last = nn.Conv2d(last, channels, 3, padding=1)
        self.truncation = truncation

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        """Return images in [-1, 1]."""
        # Every block reads all of z and the class.
        condition = torch.cat([self.truncation * z, self.embedding(y)], 1)
        x = self.first(condition).unflatten(1, (BASE, BASE, -1)).permute(0, 3, 1, 2)
        for k, block in enumerate(self.blocks):
            x = block(x, condition)
            if k == self.place:
                x = self.attention(x)
        images: Tensor = self.last(relu(self.norm(x))).tanh()
        return images


class Trunk(nn.Module):
    """The discriminator before its heads: images -> features (n, channels of the smallest map).

    Args:
        blocks: residual blocks of the generator.
        channels: channels of the images.
        attention_side: side of the map that attention changes.
    """

    aligned_at: ClassVar = {"layers": "end"}

    def __init__(self, blocks: Sequence[Block], channels: int, attention_side: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(channels, blocks[-1].outputs, 3, padding=1)]
        place, attention = _attend(blocks, attention_side)
        for k in reversed(range(len(blocks))):
            if k == place:
                layers.append(attention)
            layers.append(DownBlock(blocks[k]))
        self.layers = nn.Sequential(*layers)

    def forward(self, images: Tensor) -> Tensor:
        """Return the sums of the last map over its pixels."""
        return relu(self.layers(images)).sum((2, 3))


def _attend(blocks: Sequence[Block], side: int) -> tuple[int | None, nn.Module]:
    """Return the number of the block that doubles to a side, and the attention after it."""
    for k, block in enumerate(blocks):
        if block.up and block.side == side:
            return k, Attention(block.outputs)
    return None, nn.Identity()
