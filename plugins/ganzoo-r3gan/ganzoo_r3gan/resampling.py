"""Resampling by 2: the filter of the paper, and the simpler one of the shipped models."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, pad

Resampling = Literal["filter", "mean"]


class FilteredUpsample(nn.Module):
    """Double both sides with the filter (1, 3, 3, 1); pixels outside the map are 0."""

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, channels, 2 height, 2 width) for a map (n, channels, height, width)."""
        # Away from the border, this filter is bilinear interpolation.
        wide: Tensor = interpolate(pad(x, (1, 1, 1, 1)), scale_factor=2.0, mode="bilinear")
        return wide[:, :, 2:-2, 2:-2]


class FilteredDownsample(nn.Module):
    """Halve both sides with the filter (1, 3, 3, 1); pixels outside the map are 0."""

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, channels, height / 2, width / 2) for a map (n, channels, height, width)."""
        # (1, 3, 3, 1) is (1, 1) convolved with itself twice.
        x = avg_pool2d(avg_pool2d(pad(x, (1, 1, 1, 1)), 2, stride=1), 2, stride=1)
        return avg_pool2d(x, 2)


def upsample(resampling: Resampling) -> nn.Module:
    """Return a layer that doubles both sides."""
    if resampling == "filter":
        return FilteredUpsample()
    return nn.Upsample(scale_factor=2.0, mode="bilinear")


def downsample(resampling: Resampling) -> nn.Module:
    """Return a layer that halves both sides, which must be even."""
    if resampling == "filter":
        return FilteredDownsample()
    return nn.Upsample(scale_factor=0.5, mode="bilinear")
