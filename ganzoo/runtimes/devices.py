"""What `device` may be, for both runtimes. Imports no torch."""

from __future__ import annotations

import re

from ganzoo.errors import DeviceError

_CUDA = re.compile(r"cuda(?::(\d+))?")


def gpu_number(device: str) -> int | None:
    """Return which GPU a device means, None where it is the CPU; ``auto`` means the first.

    Raises:
        DeviceError: it is none of ``cpu``, ``cuda``, ``cuda:N`` and ``auto``.
    """
    if device == "cpu":
        return None
    if device == "auto":
        return 0
    match = _CUDA.fullmatch(device)
    if not match:
        raise DeviceError(
            f"no device {device!r}: it is 'cpu', 'cuda' or 'cuda:1' and so on, or 'auto', which "
            "is 'cuda' where there is one."
        )
    return int(match[1] or 0)


def check_threads(threads: int | None) -> None:
    """Refuse a number of threads that is none.

    Raises:
        DeviceError: below 1.
    """
    if threads is not None and threads < 1:
        raise DeviceError(f"{threads} threads cannot compute: threads is 1 or more.")
