"""Layers with equalised learning rate.

"Progressive Growing of GANs" (Karras et al., 2018), section 4.1, https://arxiv.org/abs/1710.10196:
initial weights are drawn from N(0, 1), and the forward pass divides them by the square root of the
fan-in, so that steps of Adam have the same relative size in all layers. The layers do not extend
`nn.Linear` and `nn.Conv2d`, because they scale their weights.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, leaky_relu, linear

SLOPE = 0.2


def activate(x: Tensor, clamp: float = 0.0) -> Tensor:
    """Return leaky ReLU with slope 0.2, times sqrt(2), which roughly keeps the variance.

    Args:
        x: numbers.
        clamp: limit of the absolute value of the result; 0 for none.
    """
    return limit(leaky_relu(x, SLOPE) * math.sqrt(2), clamp)


def limit(x: Tensor, clamp: float) -> Tensor:
    """Return numbers clamped to [-clamp, clamp], or as they are if `clamp` is 0.

    "Training Generative Adversarial Networks with Limited Data" (Karras et al., 2020), appendix D,
    https://arxiv.org/abs/2006.06676: half precision needs a clamp of 256.
    """
    return x.clamp(-clamp, clamp) if clamp else x


class EqualisedLinear(nn.Module):
    """A linear layer with equalised learning rate: (..., inputs) -> (..., outputs).

    Args:
        inputs, outputs: number of features before and after.
        bias: initial value of all biases.
        rate: factor of the learning rate of weights and biases.
    """

    def __init__(self, inputs: int, outputs: int, *, bias: float = 0.0, rate: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs).div_(rate))
        self.bias = nn.Parameter(torch.full((outputs,), bias / rate))
        self.scale = rate / math.sqrt(inputs)
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        """Return the product with the scaled weights, plus the biases."""
        return linear(x, self.weight * self.scale, self.bias * self.rate)


class EqualisedConv2d(nn.Module):
    """A convolution with equalised learning rate: (n, inputs, ...) -> (n, outputs, ...).

    Args:
        inputs, outputs: channels before and after.
        kernel: side of the kernel.
        stride, padding: as in `torch.nn.Conv2d`.
        bias: whether to add a bias; its initial value is 0.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        *,
        stride: int = 1,
        padding: int = 0,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.scale = 1 / math.sqrt(inputs * kernel**2)
        self.stride, self.padding = stride, padding

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolution with the scaled weights."""
        weight = self.weight * self.scale
        return conv2d(x, weight, self.bias, stride=self.stride, padding=self.padding)
