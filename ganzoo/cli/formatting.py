"""Format values for the output of commands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ganzoo.errors import as_folder
from ganzoo.registry.own_file import repeat_imports
from ganzoo.spec import ModelSpec


def brief(value: Any) -> str:
    """Return a value as short text for one line."""
    match value:
        case float():
            return f"{value:.3g}"
        case list():
            return " and ".join(map(str, value))
    return str(value)


def suggest_use(spec: ModelSpec, folder: Path) -> str:
    """Return the command that uses the model of a bundle, on onnxruntime if it can.

    Args:
        spec: the config of the model.
        folder: the folder of the bundle.
    """
    command, files = "sample", ""
    if "condition" in spec.inputs:
        command, files = "translate", " FILE ..."
    if spec.sizes and spec.sizes.scale > 1:
        command = "upscale"
    runtime = "torch" if spec.onnx_failure else "onnx"
    return f"ganzoo {command} {as_folder(folder)}{files} --runtime {runtime}{repeat_imports()}"
