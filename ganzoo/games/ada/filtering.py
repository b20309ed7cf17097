"""Lossless upsampling and downsampling with an orthogonal wavelet.

The low-pass filter is sym6, with twelve taps: "Ten Lectures on Wavelets" (Daubechies, 1992),
table 8.3, https://doi.org/10.1137/1.9781611970104. `halve` inverts `double`.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import conv2d, conv_transpose2d, pad

SYM6 = (
    *(0.015404109327027373, 0.0034907120842174702, -0.11799011114819057, -0.048311742585633),
    *(0.4910559419267466, 0.787641141030194, 0.3379294217276218, -0.07263752278646252),
    *(-0.021060292512300564, 0.04472490177066578, 0.0017677118642428036, -0.007800708325034148),
)
MARGIN = len(SYM6) // 2  # pixels beyond each border that the filter reads
SMALLEST = MARGIN + 1  # smallest side of an image with enough pixels to mirror


def double(images: Tensor) -> Tensor:
    """Double the sides of images (n, channels, height, width), plus ten mirrored pixels.

    `halve` needs these ten pixels.
    """
    images = _pixel_by_pixel(pad(images, (MARGIN,) * 4, mode="reflect"))
    for kernel, stride in _kernels(images):
        images = conv_transpose2d(images, 2**0.5 * kernel, stride=stride, groups=images.shape[1])
    cut = 2 * MARGIN
    return images[:, :, cut:-cut, cut:-cut]


def halve(images: Tensor) -> Tensor:
    """Halve the sides: the inverse of `double`."""
    images = _pixel_by_pixel(images)
    for kernel, stride in _kernels(images):
        images = conv2d(images, kernel / 2**0.5, stride=stride, groups=images.shape[1])
    return images


def _pixel_by_pixel(images: Tensor) -> Tensor:
    """Return images in channels-last format, where these convolutions are faster on CPUs."""
    return images.contiguous(memory_format=torch.channels_last)


def _kernels(images: Tensor) -> list[tuple[Tensor, tuple[int, int]]]:
    """Return (filter, stride) for columns, and for rows."""
    taps = torch.tensor(SYM6, device=images.device, dtype=images.dtype)
    shape = (images.shape[1], 1, -1, -1)
    return [(taps[:, None].expand(shape), (2, 1)), (taps[None].expand(shape), (1, 2))]
