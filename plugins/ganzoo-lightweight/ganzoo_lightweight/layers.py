"""Layers of the generator: upsampling, noise and skip-layer excitation.

"Towards Faster and Stabilized GAN Training for High-fidelity Few-shot Image Synthesis" (Liu et
al., 2021), section 3.1, https://arxiv.org/abs/2101.04775.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, glu, leaky_relu, pad, pixel_shuffle, silu

from ganzoo.nn import UpsampleConv2d

Upsampling = Literal["nearest", "shuffle"]


class UpBlock(nn.Module):
    """Upsampling with a convolution, noise, BatchNorm and a gated linear unit.

    Args:
        inputs, outputs: channels before and after.
        upsampling: ``nearest`` or ``shuffle``, see `ganzoo_lightweight.architecture.lightweight`.
        noise: whether to add noise in training mode.
    """

    def __init__(self, inputs: int, outputs: int, upsampling: Upsampling, *, noise: bool) -> None:
        super().__init__()
        enlarge = UpsampleConv2d if upsampling == "nearest" else ShuffleConv2d
        self.enlarge = enlarge(inputs, 2 * outputs)
        self.noise = Noise() if noise else nn.Identity()
        self.norm = nn.BatchNorm2d(2 * outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, outputs, 2 side, 2 side) for a map (n, inputs, side, side)."""
        return glu(self.norm(self.noise(self.enlarge(x))), 1)


class ShuffleConv2d(nn.Module):
    """Sub-pixel upsampling by 2, the filter (1, 2, 1), and a 4x4 convolution.

    "Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel Convolutional
    Neural Network" (Shi et al., 2016), https://arxiv.org/abs/1609.05158.

    Args:
        inputs, outputs: channels before and after.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.expand = nn.Conv2d(inputs, 4 * inputs, 1)
        self.convolution = nn.Conv2d(inputs, outputs, 4)

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, outputs, 2 side, 2 side) for a map (n, inputs, side, side)."""
        x = blur(pixel_shuffle(silu(self.expand(x)), 2))
        result: Tensor = self.convolution(pad(x, (2, 1, 2, 1)))
        return result


def blur(x: Tensor) -> Tensor:
    """Filter a map with (1, 2, 1) / 4 in both directions; its border is reflected."""
    # (1, 2, 1) is (1, 1) convolved with itself.
    x = pad(x, (1, 1, 1, 1), "reflect")
    return avg_pool2d(avg_pool2d(x, 2, stride=1), 2, stride=1)


class Noise(nn.Module):
    """In training mode, adds N(0, 1) times a learned strength to each pixel of a map.

    In eval mode it adds the noise's mean, 0, so that a latent has one image.
    """

    def __init__(self) -> None:
        super().__init__()
        self.strength = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        """Return the map (n, channels, height, width), in training mode with noise."""
        if not self.training:
            return x
        return x + self.strength * torch.randn_like(x[:, :1])


class Excitation(nn.Module):
    """Skip-layer excitation: factors in (0, 1) for the channels of a larger map.

    As in the paper's section 3.1, but the small map is reduced to one vector by attention over its
    pixels ("GCNet: Non-local Networks Meet Squeeze-Excitation Networks and Beyond", Cao et al.,
    2019, section 3.3, https://arxiv.org/abs/1904.11492), not by pooling to 4x4 pixels.

    Args:
        inputs: channels of the small map.
        outputs: channels of the larger map.
        hidden: channels in between.
    """

    def __init__(self, inputs: int, outputs: int, hidden: int) -> None:
        super().__init__()
        self.attention = nn.Conv2d(inputs, 1, 1)
        self.squeeze = nn.Conv2d(inputs, hidden, 1)
        self.excite = nn.Conv2d(hidden, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return factors (n, outputs, 1, 1) for a map (n, inputs, side, side)."""
        weights = self.attention(x).flatten(2).softmax(2)  # over pixels
        context = (x.flatten(2) * weights).sum(2)[:, :, None, None]
        factors: Tensor = self.excite(leaky_relu(self.squeeze(context), 0.1)).sigmoid()
        return factors
