"""Run code under torch's and NumPy's own defaults, whatever the program has set."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch


class _Setting:
    """A setting of the whole process, an attribute, that holds a value while any thread needs it.

    Args:
        owner: the object that has the attribute.
        name: the attribute.
        value: the value to hold.
        default: another value that means the same.
    """

    def __init__(self, owner: Any, name: str, value: Any, default: Any = None) -> None:
        self._owner, self._name, self._value, self._default = owner, name, value, default
        self._lock, self._users = threading.Lock(), 0
        self._before: Any = None

    def __enter__(self) -> None:
        with self._lock:
            if not self._users:
                self._before = getattr(self._owner, self._name)
                if self._changes:
                    setattr(self._owner, self._name, self._value)
            self._users += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._users -= 1
            if not self._users and self._changes:
                setattr(self._owner, self._name, self._before)

    @property
    def _changes(self) -> bool:
        return self._before not in (self._value, self._default)


class _Default:
    """Torch's default dtype, as an attribute."""

    @property
    def dtype(self) -> torch.dtype:
        return torch.get_default_dtype()

    @dtype.setter
    def dtype(self, dtype: torch.dtype) -> None:
        torch.set_default_dtype(dtype)


_DTYPE = _Setting(_Default(), "dtype", torch.float32)
_CPU = [
    _Setting(getattr(torch.backends.mkldnn, operation), "fp32_precision", "ieee", "none")
    for operation in ("matmul", "conv")
]
_GPU = [
    _Setting(torch.backends.cuda.matmul, "fp32_precision", "ieee", "none"),
    _Setting(torch.backends.cudnn, "deterministic", True),
    _Setting(torch.backends.cudnn, "benchmark", False),
]


@contextlib.contextmanager
def torch_defaults() -> Iterator[None]:
    """Use torch's defaults in the block: float32, on the CPU, with gradients, without autocast.

    NumPy's handling of floating-point errors is its default, too. Afterwards everything is as
    before. All settings belong to the calling thread except the default dtype, which other threads
    share while the block runs.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(_DTYPE)
        if torch.get_default_device() != torch.device("cpu"):
            stack.enter_context(torch.device("cpu"))
        if torch.is_inference_mode_enabled():
            stack.enter_context(torch.inference_mode(False))
        if not torch.is_grad_enabled():
            stack.enter_context(torch.enable_grad())
        for device in ("cpu", "cuda"):
            if torch.is_autocast_enabled(device):
                stack.enter_context(torch.autocast(device, enabled=False))
        stack.enter_context(np.errstate(divide="warn", over="warn", under="ignore", invalid="warn"))
        yield


@contextlib.contextmanager
def exact_arithmetic(device: torch.device) -> Iterator[None]:
    """Compute in float32 and by algorithms that give equal results each time.

    Args:
        device: the device that computes.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(torch_defaults())
        for setting in _GPU if device.type == "cuda" else _CPU:
            stack.enter_context(setting)
        yield


@contextlib.contextmanager
def exact_inference(device: torch.device) -> Iterator[None]:
    """Compute as `exact_arithmetic` does, without gradients."""
    with exact_arithmetic(device), torch.inference_mode():
        yield
