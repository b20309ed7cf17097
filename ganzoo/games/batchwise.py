"""Statistics of the whole batch, of which a process may hold a part alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor

_mean: ContextVar[Callable[[Tensor], Tensor]] = ContextVar("mean", default=torch.mean)


def batch_mean(values: Tensor) -> Tensor:
    """Return the mean over all values, scalar, and over those of all processes that train together.

    A loss that compares a sample with its batch needs this in place of ``values.mean()``; the
    gradient passes through it to every process. Each holds as many values.
    """
    return _mean.get()(values)


@contextmanager
def means_by(mean: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """Take another mean inside the block."""
    token = _mean.set(mean)
    try:
        yield
    finally:
        _mean.reset(token)
