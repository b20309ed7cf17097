"""The layers of both networks: residual blocks, and the transitions between sides.

"The GAN is dead; long live the GAN! A Modern GAN Baseline" (Huang et al., 2024), section 4,
https://arxiv.org/abs/2501.05441.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from ganzoo_r3gan.resampling import Resampling, downsample, upsample

SLOPE = 0.2  # negative slope of the leaky ReLU


@dataclass(frozen=True)
class Stage:
    """The identical residual blocks of one size.

    Attributes:
        size: height and width of the maps, in pixels.
        width: channels of the maps.
        hidden: channels inside a block.
        groups: groups of the 3x3 convolution inside a block.
        blocks: number of blocks.
    """

    size: tuple[int, int]
    width: int
    hidden: int
    groups: int
    blocks: int

    def build(self, depth: int) -> list[nn.Module]:
        """Return the blocks, initialised for a network with `depth` residual blocks in total."""
        return [
            ResidualBlock(self.width, self.hidden, self.groups, depth) for _ in range(self.blocks)
        ]


class ResidualBlock(nn.Module):
    """x + conv1x1(act(conv3x3(act(conv1x1(x))))): an inverted bottleneck without normalisation.

    The initialisation is Fixup (Zhang et al., 2019, https://arxiv.org/abs/1901.09321): the last
    convolution is zero, so the block starts as the identity. The other two have He's
    initialisation times L^(-1 / (2m - 2)) = L^(-1/4), for L blocks with m = 3 convolutions.

    Args:
        width: channels of x.
        hidden: channels of the 3x3 convolution.
        groups: groups of the 3x3 convolution.
        depth: L, the number of residual blocks of the network.
    """

    def __init__(self, width: int, hidden: int, groups: int, depth: int) -> None:
        super().__init__()
        self.widen = nn.Conv2d(width, hidden, 1)
        self.mix = nn.Conv2d(hidden, hidden, 3, padding=1, groups=groups)
        # No bias: it would shift the residual path, and no normalisation would correct it.
        self.narrow = nn.Conv2d(hidden, width, 1, bias=False)
        for convolution in (self.widen, self.mix):
            nn.init.kaiming_normal_(convolution.weight, SLOPE)
            with torch.no_grad():
                convolution.weight.mul_(depth**-0.25)
            assert convolution.bias is not None
            nn.init.zeros_(convolution.bias)
        nn.init.zeros_(self.narrow.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Return the output for x (n, channels, height, width), in the same shape."""
        h = leaky_relu(self.widen(x), SLOPE)
        result: Tensor = x + self.narrow(leaky_relu(self.mix(h), SLOPE))
        return result


def enlarge(inputs: int, outputs: int, resampling: Resampling) -> list[nn.Module]:
    """Return layers that double the side, and change the channels if they differ."""
    # A 1x1 convolution and an interpolation commute; convolving the smaller map is cheaper.
    return [*_change(inputs, outputs), upsample(resampling)]


def reduce(inputs: int, outputs: int, resampling: Resampling) -> list[nn.Module]:
    """Return layers that halve the side, and change the channels if they differ."""
    return [downsample(resampling), *_change(inputs, outputs)]


def init_linear(layer: nn.Conv2d | nn.Linear) -> nn.Module:
    """Initialise a layer without an activation after it, so that it keeps the variance."""
    nn.init.kaiming_normal_(layer.weight, nonlinearity="linear")
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def _change(inputs: int, outputs: int) -> list[nn.Module]:
    return [] if inputs == outputs else [init_linear(nn.Conv2d(inputs, outputs, 1, bias=False))]
