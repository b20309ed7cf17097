"""A training's state on disk: one safetensors file, whole or absent, never pickle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from ganzoo.errors import CheckpointError
from ganzoo.files import write_file

_KEY = "ganzoo.state"


def save_checkpoint(folder: Path, images_seen: int, state: dict[str, Any], keep: int) -> Path:
    """Write a state, and delete all but the newest `keep` files.

    Raises:
        OutputError: it cannot be written; the older ones are still there.
    """
    tensors: dict[str, Tensor] = {}
    skeleton = _take_tensors(state, tensors)
    path = folder / f"{images_seen:012d}.safetensors"
    write_file(path, safetensors.torch.save(tensors, {_KEY: json.dumps(skeleton)}))
    for old in sorted(folder.glob("*.safetensors"))[:-keep]:
        old.unlink()
    return path


def load_checkpoint(folder: Path) -> dict[str, Any] | None:
    """Read the newest state in a folder, or return None where there is none.

    Raises:
        CheckpointError: it is damaged.
    """
    paths = sorted(folder.glob("*.safetensors"))
    if not paths:
        return None
    try:
        with safe_open(paths[-1], framework="pt") as file:
            skeleton = json.loads(file.metadata()[_KEY])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"the checkpoint {paths[-1]} is damaged: {error}. Delete it to resume from "
            f"{paths[-2] if len(paths) > 1 else 'the start'}."
        ) from error
    state: dict[str, Any] = _put_tensors(skeleton, tensors)
    return state


def _take_tensors(value: Any, tensors: dict[str, Tensor]) -> Any:
    """Return the value as JSON in which each tensor is the name it got in `tensors`."""
    match value:
        case Tensor():
            name = str(len(tensors))
            tensors[name] = value.detach().to("cpu", copy=True).contiguous()
            return {"tensor": name}
        case dict():  # as pairs: JSON would turn an optimizer's integer keys into text
            return {"pairs": [[k, _take_tensors(v, tensors)] for k, v in value.items()]}
        case tuple():
            return {"tuple": [_take_tensors(item, tensors) for item in value]}
        case list():
            return [_take_tensors(item, tensors) for item in value]
        case None | bool() | int() | float() | str():
            return value
    raise TypeError(f"a checkpoint cannot hold {type(value).__name__}")


def _put_tensors(value: Any, tensors: dict[str, torch.Tensor]) -> Any:
    match value:
        case {"tensor": str(name)}:
            return tensors[name]
        case {"pairs": list(pairs)}:
            return {k: _put_tensors(v, tensors) for k, v in pairs}
        case {"tuple": list(items)}:
            return tuple(_put_tensors(item, tensors) for item in items)
        case list():
            return [_put_tensors(item, tensors) for item in value]
    return value
