"""The discriminator.

"Towards Faster and Stabilized GAN Training for High-fidelity Few-shot Image Synthesis" (Liu et
al., 2021), section 3.2 and appendix, https://arxiv.org/abs/2101.04775.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar

from torch import Tensor, nn

from ganzoo.nn import DiscriminatorOutput

SLOPE = 0.2  # of the leaky ReLU


def convolve(
    inputs: int, outputs: int, kernel: int, stride: int = 1, padding: int = 0
) -> nn.Sequential:
    """Return a convolution without bias, BatchNorm and leaky ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False),
        nn.BatchNorm2d(outputs),
        nn.LeakyReLU(SLOPE),
    )


class DownBlock(nn.Module):
    """Halves the side on two ways, whose mean it returns: convolutions, and average pooling.

    Args:
        inputs, outputs: channels before and after.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            convolve(inputs, outputs, 4, stride=2, padding=1),
            convolve(outputs, outputs, 3, padding=1),
        )
        self.direct = nn.Sequential(nn.AvgPool2d(2), convolve(inputs, outputs, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, outputs, side / 2, side / 2) for a map (n, inputs, side, side)."""
        result: Tensor = (self.main(x) + self.direct(x)) / 2
        return result


class Discriminator(nn.Module):
    """Images -> logits of 5x5 overlapping patches, as `ganzoo.nn.DiscriminatorOutput`.

    Args:
        widths: channels of the maps, from half the side of the images down to 8 pixels per side.
        channels: channels of the images.
    """

    # Networks for two sides have the same layers next to the smallest map.
    aligned_at: ClassVar = {"first": "same", "blocks": "end"}

    def __init__(self, widths: Sequence[int], channels: int) -> None:
        super().__init__()
        self.first = nn.Sequential(
            nn.Conv2d(channels, widths[0], 4, stride=2, padding=1, bias=False),
            nn.LeakyReLU(SLOPE),
        )
        self.blocks = nn.Sequential(*(DownBlock(*pair) for pair in pairwise(widths)))
        self.mix = convolve(widths[-1], widths[-1], 1)
        self.last = nn.Conv2d(widths[-1], 1, 4, bias=False)

    def forward(self, images: Tensor) -> DiscriminatorOutput:
        """Return logits (n, 5, 5) and the features before them, (n, features, 8, 8)."""
        features = self.mix(self.blocks(self.first(images)))
        return DiscriminatorOutput(self.last(features).squeeze(1), features)
