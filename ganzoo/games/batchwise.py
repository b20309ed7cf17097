"""Statistics of the whole batch, also where it is split over processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from torch import Tensor

_over_processes: ContextVar[Callable[[Tensor], Tensor] | None] = ContextVar("mean", default=None)


def batch_mean(values: Tensor, dim: int | None = None) -> Tensor:
    """Return the mean over the values of the whole batch, in all processes.

    A loss that compares a sample with its batch needs this instead of ``values.mean()``. The
    gradient reaches every process. All processes hold the same number of values.

    Args:
        values: any shape, the same in every process.
        dim: the dimension to average over, such as 0 for the samples; None averages over all.
    """
    mean = values.mean() if dim is None else values.mean(dim)
    over_processes = _over_processes.get()
    return mean if over_processes is None else over_processes(mean)


@contextmanager
def means_by(mean: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """Use a function to average each process's mean over all processes, inside the block."""
    token = _over_processes.set(mean)
    try:
        yield
    finally:
        _over_processes.reset(token)
