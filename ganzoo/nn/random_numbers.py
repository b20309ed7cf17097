"""Torch's random generators, which all threads of the process share."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import torch

_LOCK = threading.RLock()


@contextlib.contextmanager
def own_random_numbers(*, wait: bool = True) -> Iterator[None]:
    """Give torch's random generators back as they were before the block.

    One such block runs at a time.

    Args:
        wait: whether to wait for another thread's block. If not, that block gives the generators
            back for both.
    """
    if not _LOCK.acquire(blocking=wait):
        yield
        return
    try:
        is_initialized = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
        devices = range(torch.cuda.device_count()) if is_initialized else ()
        with torch.random.fork_rng(devices):
            yield
    finally:
        _LOCK.release()
