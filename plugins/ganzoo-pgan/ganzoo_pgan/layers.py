"""The layers of both networks.

"Progressive Growing of GANs for Improved Quality, Stability, and Variation" (Karras et al., 2018),
sections 3, 4.1 and 4.2, https://arxiv.org/abs/1710.10196.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, leaky_relu, linear

SLOPE = 0.2  # negative slope of the leaky ReLU
EPSILON = 1e-8


def equalise(fan_in: int) -> float:
    """Return c, the constant of He's initialisation, by which weights are multiplied at run time.

    >>> equalise(8)
    0.5
    """
    return math.sqrt(2 / fan_in)


class EqualisedConv2d(nn.Conv2d):
    """A convolution with weights w c, where w starts from N(0, 1)."""

    def __init__(self, inputs: int, outputs: int, size: int) -> None:
        super().__init__(inputs, outputs, size, padding=size // 2)
        self.constant = equalise(inputs * size * size)
        _initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, outputs, height, width) for an input (n, inputs, height, width)."""
        return conv2d(x, self.weight * self.constant, self.bias, padding=self.padding)


class EqualisedLinear(nn.Linear):
    """A linear layer with weights w c, where w starts from N(0, 1)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs)
        self.constant = equalise(inputs)
        _initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, outputs) for an input (n, inputs)."""
        return linear(x, self.weight * self.constant, self.bias)


def _initialise(layer: nn.Conv2d | nn.Linear) -> None:
    nn.init.normal_(layer.weight)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)


class PixelNorm(nn.Module):
    """Divide the features of each pixel by their root mean square."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalised features, (n, channels, ...)."""
        return x * (x.square().mean(1, keepdim=True) + EPSILON).rsqrt()


class Activation(nn.Module):
    """A leaky ReLU; in the generator, a normalisation of each pixel follows."""

    def __init__(self, norm: nn.Module) -> None:
        super().__init__()
        self.norm = norm

    def forward(self, x: Tensor) -> Tensor:
        """Return the activated features."""
        result: Tensor = self.norm(leaky_relu(x, SLOPE))
        return result


class MinibatchDeviation(nn.Module):
    """Append a channel with the standard deviation over the batch, averaged over all features."""

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, channels + 1, height, width) for an input (n, channels, height, width)."""
        deviation = (x.var(0, correction=0) + EPSILON).sqrt().mean()
        return torch.cat([x, deviation.expand(len(x), 1, *x.shape[2:])], 1)
