"""Trained run -> bundle (safetensors, ONNX, parity, card), and bundle -> what other programs serve.

Names are imported at their first use: `targets` needs no torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganzoo.exporters.from_run import export
    from ganzoo.exporters.proving import prove
    from ganzoo.exporters.recording import record, record_seeds

_MODULES = {
    "export": "from_run",
    "prove": "proving",
    "record": "recording",
    "record_seeds": "recording",
}

__all__ = ["export", "prove", "record", "record_seeds"]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'ganzoo.exporters' has no attribute {name!r}")
    return getattr(importlib.import_module(f"ganzoo.exporters.{_MODULES[name]}"), name)
