"""Enlarging and reducing with the filter (1, 3, 3, 1).

"Analyzing and Improving the Image Quality of StyleGAN" (Karras et al., 2020), appendix B,
https://arxiv.org/abs/1912.04958. Outside an image is 0.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import conv2d, conv_transpose2d

TAPS = 4
SUM = 8  # of 1, 3, 3, 1


def kernel_like(x: Tensor) -> Tensor:
    """Return the filter for every channel of a map, (channels, 1, 4, 4) of sum 1."""
    # Made where the map is: numbers copied to a GPU would be waited for.
    k = torch.arange(TAPS, device=x.device, dtype=x.dtype)
    row = (1 + k * (TAPS - 1 - k)) / SUM
    return (row[:, None] * row).expand(x.shape[1], 1, TAPS, TAPS)


def smooth(x: Tensor, *, padding: int = 1, stride: int = 1) -> Tensor:
    """(n, channels, height, width) -> filtered; three rows and columns fewer, but for padding."""
    return conv2d(x, kernel_like(x), stride=stride, padding=padding, groups=x.shape[1])


def downsample(x: Tensor) -> Tensor:
    """Halve both sides, which are even."""
    return smooth(x, stride=2)


def upsample(x: Tensor) -> Tensor:
    """Double both sides."""
    # Three of four pixels were 0.
    kernel = 4 * kernel_like(x)
    return conv_transpose2d(x, kernel, stride=2, padding=1, groups=x.shape[1])
