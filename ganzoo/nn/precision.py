"""Conversion to full precision."""

from torch import Tensor


def at_least_fp32(x: Tensor) -> Tensor:
    """Return a tensor in float32; a float64 tensor does not change."""
    return x if x.element_size() == 8 else x.float()
