"""The layers of both networks: residual blocks with bottlenecks, and attention.

"Large Scale GAN Training for High Fidelity Natural Image Synthesis" (Brock et al., 2019), appendix
B, figure 16, https://arxiv.org/abs/1809.11096.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, max_pool2d, relu

BOTTLENECK = 4  # channels outside a block divided by those inside


@dataclass(frozen=True)
class Block:
    """One residual block of the generator; the discriminator has it in reverse.

    Attributes:
        inputs, outputs: channels before and after; no more after than before.
        up: whether it doubles the side.
        side: side of the map after it.
    """

    inputs: int
    outputs: int
    up: bool
    side: int


class ConditionalNorm(nn.Module):
    """BatchNorm whose scale and shift are linear maps of a vector: x (1 + scale) + shift.

    Args:
        channels: channels of x.
        dim: length of the vector.
        epsilon: added to the variance.
    """

    def __init__(self, channels: int, dim: int, epsilon: float) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, eps=epsilon, affine=False)
        self.scale = nn.Linear(dim, channels, bias=False)
        self.shift = nn.Linear(dim, channels, bias=False)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Return the result for x (n, channels, side, side) and vectors (n, dim)."""
        scale, shift = self.scale(condition), self.shift(condition)
        result: Tensor = self.norm(x) * (1 + scale)[:, :, None, None] + shift[:, :, None, None]
        return result


class UpBlock(nn.Module):
    """Residual block of the generator: 1x1, 3x3, 3x3 and 1x1 convolution of a narrow map.

    The shortcut drops the last channels if the block has fewer outputs than inputs.

    Args:
        block: channels and sides.
        dim: length of the vector that conditions the normalisation.
        epsilon: added to variances.
    """

    def __init__(self, block: Block, dim: int, epsilon: float) -> None:
        super().__init__()
        hidden = max(1, block.inputs // BOTTLENECK)
        channels = [block.inputs, hidden, hidden, hidden]
        self.norms = nn.ModuleList(ConditionalNorm(n, dim, epsilon) for n in channels)
        self.convolutions = nn.ModuleList(
            [
                nn.Conv2d(block.inputs, hidden, 1),
                nn.Conv2d(hidden, hidden, 3, padding=1),
                nn.Conv2d(hidden, hidden, 3, padding=1),
                nn.Conv2d(hidden, block.outputs, 1),
            ]
        )
        self.outputs, self.up = block.outputs, block.up

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Return (n, outputs, ...), with twice the side if `up`, for x (n, inputs, side, side)."""
        h, shortcut = x, x[:, : self.outputs]
        for k, (norm, convolution) in enumerate(zip(self.norms, self.convolutions, strict=True)):
            h = relu(norm(h, condition))
            if self.up and k == 1:  # before the first 3x3 convolution
                h, shortcut = (interpolate(t, scale_factor=2.0) for t in (h, shortcut))
            h = convolution(h)
        return h + shortcut


class DownBlock(nn.Module):
    """Residual block of the discriminator: `UpBlock` in reverse, without normalisation.

    If the block has more outputs than inputs, a 1x1 convolution adds channels to the shortcut.

    Args:
        block: channels and sides of the corresponding block of the generator.
    """

    def __init__(self, block: Block) -> None:
        super().__init__()
        inputs, outputs = block.outputs, block.inputs
        hidden = max(1, outputs // BOTTLENECK)
        self.convolutions = nn.ModuleList(
            [
                nn.Conv2d(inputs, hidden, 1),
                nn.Conv2d(hidden, hidden, 3, padding=1),
                nn.Conv2d(hidden, hidden, 3, padding=1),
                nn.Conv2d(hidden, outputs, 1),
            ]
        )
        self.shortcut = nn.Conv2d(inputs, outputs - inputs, 1) if outputs > inputs else None
        self.down = block.up

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, outputs, ...), with half the side if `down`, for x (n, inputs, side, side)."""
        h = x
        for k, convolution in enumerate(self.convolutions):
            h = relu(h)
            if self.down and k == 3:  # after the last 3x3 convolution
                h, x = avg_pool2d(h, 2), avg_pool2d(x, 2)
            h = convolution(h)
        shortcut = x if self.shortcut is None else torch.cat([x, self.shortcut(x)], 1)
        result: Tensor = h + shortcut
        return result


class Attention(nn.Module):
    """x + gamma attention(x), the attention of each pixel over 2x2 maxima.

    "Self-Attention Generative Adversarial Networks" (Zhang et al., 2019), section 3,
    https://arxiv.org/abs/1805.08318.

    Args:
        channels: channels of x.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        keys, values = max(1, channels // 8), max(1, channels // 2)
        self.query = nn.Conv2d(channels, keys, 1, bias=False)
        self.key = nn.Conv2d(channels, keys, 1, bias=False)
        self.value = nn.Conv2d(channels, values, 1, bias=False)
        self.last = nn.Conv2d(values, channels, 1, bias=False)
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        """Return a map (n, channels, side, side) of the same shape."""
        query = self.query(x).flatten(2)
        key, value = (max_pool2d(layer(x), 2).flatten(2) for layer in (self.key, self.value))
        weights = (query.transpose(1, 2) @ key).softmax(2)  # (n, pixels, pixels / 4)
        attended = (value @ weights.transpose(1, 2)).unflatten(2, x.shape[2:])
        result: Tensor = x + self.gamma * self.last(attended)
        return result
