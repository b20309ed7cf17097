"""Upsampling and convolution in one step."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import conv_transpose2d, pad


class UpsampleConv2d(nn.Conv2d):
    """Nearest-neighbour upsampling by 2, then a 3x3 convolution.

    It has the parameters and the result of ``Upsample(scale_factor=2)`` and ``Conv2d(inputs,
    outputs, 3, padding=1)``, but computes one transposed convolution with kernel 4 and stride 2.
    Weights that multiply the same input pixel are added first, so each output pixel takes four
    products instead of nine.

    Args:
        inputs: channels of the input.
        outputs: channels of the output.
        bias: add a bias.
    """

    def __init__(self, inputs: int, outputs: int, *, bias: bool = True) -> None:
        super().__init__(inputs, outputs, 3, padding=1, bias=bias)

    def forward(self, images: Tensor) -> Tensor:
        """Return (n, outputs, 2 height, 2 width) for an input (n, inputs, height, width)."""
        # A transposed convolution flips its kernel; that of the upsampling is a 2x2 of ones.
        flipped = self.weight.flip(2, 3).transpose(0, 1)
        wider = pad(flipped, (0, 1)) + pad(flipped, (1, 0))
        kernel = pad(wider, (0, 0, 0, 1)) + pad(wider, (0, 0, 1, 0))
        # Convolutions are slow on the strides of the sums: they match no memory format.
        kernel = kernel.contiguous(memory_format=torch.channels_last)
        return conv_transpose2d(images, kernel, self.bias, stride=2, padding=1)
