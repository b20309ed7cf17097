"""The settings of a process that belong to its user."""

import contextlib
import hashlib
import locale
import logging
import os
import random
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageFile


def describe() -> dict[str, Any]:
    """Return the settings by name, as values that can be compared."""
    torch_settings = {
        name: getattr(torch, name)()
        for name in (
            *("get_default_dtype", "get_default_device", "get_num_threads"),
            *("get_num_interop_threads", "is_grad_enabled", "is_inference_mode_enabled"),
            *("get_float32_matmul_precision", "are_deterministic_algorithms_enabled"),
        )
    }
    return {
        "environment": dict(os.environ),
        "warnings": (warnings.filters[:], warnings.showwarning, warnings.formatwarning),
        "random": _digest(random.getstate()),
        "numpy": _digest([part for part in np.random.get_state(legacy=False).items()]),
        "numpy settings": (np.geterr(), np.get_printoptions()),
        "torch": _digest(torch.get_rng_state().tolist()),
        "torch settings": torch_settings,
        "backends": (
            torch.backends.cudnn.benchmark,
            torch.backends.cudnn.deterministic,
            torch.backends.cuda.matmul.fp32_precision,
            torch.backends.mkldnn.matmul.fp32_precision,
            torch.backends.mkldnn.conv.fp32_precision,
        ),
        "locale": locale.setlocale(locale.LC_ALL),
        "folder": os.getcwd(),
        "signals": {number: signal.getsignal(number) for number in signal.valid_signals()},
        "logging": (logging.root.handlers[:], logging.root.level, logging.root.manager.disable),
        "PIL": (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES),
        "streams": (sys.stdout, sys.stderr, sys.excepthook, threading.excepthook),
        "python": (sys.path[:], sys.getrecursionlimit(), sys.getswitchinterval()),
    }


def _digest(value: Any) -> str:
    with np.printoptions(threshold=sys.maxsize):
        return hashlib.sha256(repr(value).encode()).hexdigest()


@contextlib.contextmanager
def unchanged(action: str) -> Iterator[None]:
    """Check that the block changes no setting."""
    before = describe()
    yield
    after = describe()
    changes = {
        name: _difference(before[name], after[name])
        for name in before
        if before[name] != after[name]
    }
    assert not changes, f"{action} changes {changes}"


def _difference(before: Any, after: Any) -> Any:
    if isinstance(before, dict):
        names = before.keys() | after.keys()
        return {n: (before.get(n), after.get(n)) for n in names if before.get(n) != after.get(n)}
    return before, after
