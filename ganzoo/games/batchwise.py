"""Statistics of the whole batch, of which a process may hold a part alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from torch import Tensor

_over_processes: ContextVar[Callable[[Tensor], Tensor] | None] = ContextVar("mean", default=None)


def batch_mean(values: Tensor, dim: int | None = None) -> Tensor:
    """Return the mean over all values, scalar, and over those of all processes that train together.

    A loss that compares a sample with its batch needs this in place of ``values.mean()``; the
    gradient passes through it to every process. Each holds as many values.

    Args:
        values: of any shape, the same in every process.
        dim: the one dimension over which the mean is taken instead, such as 0 for the samples.
    """
    mean = values.mean() if dim is None else values.mean(dim)
    over_processes = _over_processes.get()
    return mean if over_processes is None else over_processes(mean)


@contextmanager
def means_by(mean: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """Take the mean over processes, of what each has, by a function inside the block."""
    token = _over_processes.set(mean)
    try:
        yield
    finally:
        _over_processes.reset(token)
