"""Check the arguments `device` and `threads` for both runtimes. Imports no torch."""

from __future__ import annotations

import re

from ganzoo.errors import DeviceError
from ganzoo.spec import as_integer

_CUDA = re.compile(r"cuda(?::([0-9]{1,4}))?")


def gpu_number(device: str) -> int | None:
    """Return a device's GPU number, None for the CPU and 0 for ``auto``.

    Raises:
        DeviceError: the device is not ``cpu``, ``cuda``, ``cuda:N`` or ``auto``.
    """
    if device == "cpu":
        return None
    if device == "auto":
        return 0
    match = _CUDA.fullmatch(device)
    if not match:
        raise DeviceError(
            f"unknown device {device!r}. Use 'cpu', 'cuda', 'cuda:N' for GPU number N, or 'auto' "
            "for 'cuda' if a GPU is available and 'cpu' otherwise."
        )
    return int(match[1] or 0)


def check_threads(threads: int | None) -> None:
    """Raise an error if the number of threads is no integer or below 1.

    Raises:
        DeviceError: the number is no integer or below 1.
    """
    try:
        below = threads is not None and as_integer("threads", threads) < 1
    except ValueError as error:
        raise DeviceError(f"{error}.") from error
    if below:
        raise DeviceError(f"threads is {threads}, but it must be 1 or more.")
