"""Export a run or a checkpoint of another project as a bundle, and a bundle for other programs.

Names are imported at their first use, because `targets` needs no torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganzoo.exporters.from_checkpoint import import_checkpoint, import_match
    from ganzoo.exporters.from_run import export
    from ganzoo.exporters.metrics import record, record_seeds
    from ganzoo.exporters.onnx_export import prove

_MODULES = {
    "export": "from_run",
    "import_checkpoint": "from_checkpoint",
    "import_match": "from_checkpoint",
    "prove": "onnx_export",
    "record": "metrics",
    "record_seeds": "metrics",
}

__all__ = ["export", "import_checkpoint", "import_match", "prove", "record", "record_seeds"]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'ganzoo.exporters' has no attribute {name!r}")
    return getattr(importlib.import_module(f"ganzoo.exporters.{_MODULES[name]}"), name)
