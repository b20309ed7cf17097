"""Upsampling and downsampling with the filter (1, 3, 3, 1).

"Analyzing and Improving the Image Quality of StyleGAN" (Karras et al., 2020), appendix B,
https://arxiv.org/abs/1912.04958. Pixels outside an image are 0.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import conv2d, conv_transpose2d

FILTER = (1.0, 3.0, 3.0, 1.0)


def kernel_like(x: Tensor) -> Tensor:
    """Return the filter for each channel of a map, (channels, 1, 4, 4), with sum 1."""
    row = torch.tensor(FILTER, device=x.device, dtype=x.dtype)
    row = row / row.sum()
    return (row[:, None] * row).expand(x.shape[1], 1, -1, -1)


def smooth(x: Tensor, *, padding: int = 1) -> Tensor:
    """Filter maps (n, channels, height, width); both sides become 3 - 2 * padding smaller."""
    return conv2d(x, kernel_like(x), padding=padding, groups=x.shape[1])


def downsample(x: Tensor) -> Tensor:
    """Halve both sides, which must be even."""
    # A strided convolution would save three of four products, but its backward pass is ten times
    # slower on CPUs.
    return smooth(x)[:, :, ::2, ::2]


def upsample(x: Tensor) -> Tensor:
    """Double both sides."""
    # Factor 4, because three of four pixels are 0.
    return conv_transpose2d(x, 4 * kernel_like(x), stride=2, padding=1, groups=x.shape[1])
