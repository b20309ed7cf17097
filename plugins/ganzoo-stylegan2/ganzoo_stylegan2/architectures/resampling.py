"""Enlarging and reducing with the filter (1, 3, 3, 1).

"Analyzing and Improving the Image Quality of StyleGAN" (Karras et al., 2020), appendix B,
https://arxiv.org/abs/1912.04958. Outside an image is 0.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import conv2d, conv_transpose2d

FILTER = (1.0, 3.0, 3.0, 1.0)


def kernel_like(x: Tensor) -> Tensor:
    """Return the filter for every channel of a map, (channels, 1, 4, 4), of sum 1."""
    row = torch.tensor(FILTER, device=x.device, dtype=x.dtype)
    row = row / row.sum()
    return (row[:, None] * row).expand(x.shape[1], 1, -1, -1)


def smooth(x: Tensor, *, padding: int = 1) -> Tensor:
    """(n, channels, height, width) -> filtered; three rows and columns fewer, but for padding."""
    return conv2d(x, kernel_like(x), padding=padding, groups=x.shape[1])


def downsample(x: Tensor) -> Tensor:
    """Halve both sides, which are even."""
    # A stride in the convolution would spare three of four products, and on CPUs makes the backward
    # pass ten times slower.
    return smooth(x)[:, :, ::2, ::2]


def upsample(x: Tensor) -> Tensor:
    """Double both sides."""
    # Four times as strong: three of four pixels were 0.
    return conv_transpose2d(x, 4 * kernel_like(x), stride=2, padding=1, groups=x.shape[1])
