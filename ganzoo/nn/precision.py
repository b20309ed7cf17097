"""What is computed in full precision whatever the networks run in."""

from torch import Tensor


def at_least_fp32(x: Tensor) -> Tensor:
    """Return a tensor in fp32, or as it is where it holds float64."""
    return x if x.element_size() == 8 else x.float()
