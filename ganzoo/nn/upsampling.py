"""Enlarging and convolving in one step."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import conv_transpose2d, pad


class UpsampleConv2d(nn.Conv2d):
    """A 3x3 convolution of the image enlarged twice by repetition.

    The function and the parameters of ``Upsample(scale_factor=2)`` before ``Conv2d(inputs, outputs,
    3, padding=1)``, computed as one transposed convolution of kernel 4 and stride 2: of the nine
    weights that make a pixel, those that meet the same pixel of the small image are added first,
    which leaves four products.

    Args:
        inputs: channels of the image.
        outputs: channels of the result.
        bias: whether a bias is added.
    """

    def __init__(self, inputs: int, outputs: int, *, bias: bool = True) -> None:
        super().__init__(inputs, outputs, 3, padding=1, bias=bias)

    def forward(self, images: Tensor) -> Tensor:
        """(n, inputs, height, width) -> (n, outputs, 2 height, 2 width)."""
        # A transposed convolution runs its kernel backwards; that of repetition is a 2x2 of ones.
        flipped = self.weight.flip(2, 3).transpose(0, 1)
        wider = pad(flipped, (0, 1)) + pad(flipped, (1, 0))
        kernel = pad(wider, (0, 0, 0, 1)) + pad(wider, (0, 0, 1, 0))
        # Sums of flipped weights have strides of no format, which convolutions are slow on.
        kernel = kernel.contiguous(memory_format=torch.channels_last)
        return conv_transpose2d(images, kernel, self.bias, stride=2, padding=1)
