"""The filtered leaky ReLU.

"Alias-Free Generative Adversarial Networks" (Karras et al., 2021), sections 2 and 3.2 and
appendix D, https://arxiv.org/abs/2106.12423: a nonlinearity adds frequencies beyond the sampling
rate. So it is applied at a higher rate, and a low-pass filter removes them before the rate returns.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d, leaky_relu

from ganzoo_stylegan2.architectures.equalised import SLOPE, limit
from ganzoo_stylegan3.filters import Numbers, lowpass, radial_lowpass
from ganzoo_stylegan3.frequencies import Signal

OVERSAMPLING = 2  # m: rate of the nonlinearity, relative to that of the output
TAPS = 6  # n: taps of a filter per sample of the lower rate
GAIN = math.sqrt(2)  # of the nonlinearity, which roughly keeps the variance


def factors(before: Signal, after: Signal) -> tuple[int, int]:
    """Return the factors by which the rate rises before the nonlinearity and falls after it."""
    return OVERSAMPLING * after.rate // before.rate, OVERSAMPLING


def design(before: Signal, after: Signal, radial: bool) -> tuple[Numbers, Numbers]:
    """Return the filters before and after the nonlinearity.

    Args:
        before: the input, whose frequencies the first filter keeps.
        after: the output, whose frequencies the second filter keeps.
        radial: whether the second filter is radially symmetric, which rotations need.
    """
    up, down = factors(before, after)
    rate = OVERSAMPLING * after.rate
    last: Callable[..., Numbers] = radial_lowpass if radial else lowpass
    return (
        lowpass(TAPS * up, before.cutoff, before.half_width, rate),
        last(TAPS * down, after.cutoff, after.half_width, rate),
    )


class FilteredActivation(nn.Module):
    """Leaky ReLU at a higher rate: (n, channels, size, size) -> (n, channels, after.size, ...).

    Args:
        before, after, radial: as in `design`.
        size: side of the maps before it.
        clamp: limit of absolute values after the leaky ReLU; 0 for none.

    Attributes:
        size: side of the maps after it.
    """

    up_filter: Tensor
    down_filter: Tensor

    def __init__(
        self, before: Signal, after: Signal, size: int, *, radial: bool, clamp: float
    ) -> None:
        super().__init__()
        self.up, self.down = factors(before, after)
        self.size = after.size
        self.clamp = clamp
        first, last = design(before, after, radial)
        self.register_buffer("up_filter", torch.tensor(first, dtype=torch.float32))
        self.register_buffer("down_filter", torch.tensor(last, dtype=torch.float32))
        # Upsampling gives maps of `whole` samples, and downsampling needs the inner `inner` ones.
        # The difference is even, because both factors are.
        whole = (size - 1) * self.up + len(first)
        inner = (self.size - 1) * self.down + len(last)
        self.crop = (whole - inner) // 2

    def forward(self, x: Tensor) -> Tensor:
        """Return the activations at the rate of the output."""
        # The factor sqrt(2) of `activate` is in the filter after it, where maps are smaller.
        x = leaky_relu(self._upsample(x), SLOPE)
        return self._downsample(limit(x, self.clamp / GAIN))

    def _upsample(self, x: Tensor) -> Tensor:
        """Insert zeros, filter and crop, as a transposed convolution of each channel."""
        # Times the factor, because all other samples are 0.
        taps = (self.up * self.up_filter).to(x.dtype)
        options: dict[str, Any] = dict(groups=x.shape[1])
        x = conv_transpose2d(
            x, _kernels(taps[:, None], x), None, (self.up, 1), (self.crop, 0), **options
        )
        return conv_transpose2d(x, _kernels(taps, x), None, (1, self.up), (0, self.crop), **options)

    def _downsample(self, x: Tensor) -> Tensor:
        """Numbers each channel, keep each sample of the lower rate, and multiply by sqrt(2)."""
        taps, groups = self.down_filter.to(x.dtype), x.shape[1]
        if taps.ndim == 2:
            return conv2d(x, _kernels(GAIN * taps, x), stride=self.down, groups=groups)
        x = conv2d(x, _kernels(GAIN * taps[:, None], x), stride=(self.down, 1), groups=groups)
        return conv2d(x, _kernels(taps, x), stride=(1, self.down), groups=groups)


def _kernels(taps: Tensor, x: Tensor) -> Tensor:
    """Return the same filter for each channel, (channels, 1, rows, columns)."""
    return taps.expand(x.shape[1], 1, *(taps.shape if taps.ndim == 2 else (1, len(taps))))
