"""Checkpoints: the state of a training in one safetensors file, written atomically."""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from ganzoo.bundle.files import new_file
from ganzoo.bundle.sealing import check_seal, seal
from ganzoo.errors import MALFORMED, CheckpointError, OutputError
from ganzoo.spec.json_text import read_json
from ganzoo.spec.lfs import explain_pointer
from ganzoo.spec.parsing import shorten
from ganzoo.training.distributed import Group

_KEY = "ganzoo.state"
_FIELDS = {
    "state": dict,
    "batches_drawn": int,
    "recipe": str,
    "data_fingerprint": str,
}


def save_checkpoint(folder: Path, images_seen: int, state: dict[str, Any], keep: int) -> Path:
    """Write a state with a digest of its content, and delete all but the newest `keep` files.

    Raises:
        OutputError: the file cannot be written. The older files remain.
    """
    tensors: dict[str, Tensor] = {}
    skeleton = _take_tensors(state, tensors)
    path = folder / f"{images_seen:012d}.safetensors"
    content = safetensors.torch.save(tensors, {_KEY: json.dumps(skeleton)})
    check_space(folder, len(content))
    with new_file(path) as file:
        for part in seal(content):
            file.write(part)
    files = [file for file in sorted(folder.glob("*.safetensors")) if file.is_file()]
    for old in files[:-keep]:
        old.unlink()
    return path


def load_checkpoint(
    folder: Path, remedy: str = "Delete it to start the training again."
) -> dict[str, Any] | None:
    """Return the newest readable state in a folder, or None if the folder holds none.

    A file is damaged if it differs from its digest. Warns of it, renames it, and reads the one
    before it.

    Args:
        folder: the folder.
        remedy: what to do if all files are damaged.

    Raises:
        CheckpointError: all files are damaged, or a file is a pointer of git-lfs.
    """
    paths = sorted(folder.glob("*.safetensors"))
    if not paths:
        return None
    for path in reversed(paths):
        if text := explain_pointer(path):
            raise CheckpointError(text)
        try:
            return read_checkpoint(path)
        except (SafetensorError, OSError, *MALFORMED) as error:
            if path == paths[0]:
                reason = shorten(str(error)).removesuffix(".")
                raise CheckpointError(
                    f"the checkpoint {path} is damaged: {reason}. {remedy}"
                ) from error
            renamed = path.replace(path.with_suffix(".damaged"))
            warnings.warn(
                f"the checkpoint {path.name} is damaged and renamed to {renamed.name}; the run "
                "continues from the one before it",
                stacklevel=2,
            )
    raise AssertionError("the loop returns or raises")


def share_checkpoint(state: dict[str, Any] | None, group: Group) -> dict[str, Any] | None:
    """Return the state of the first process in all processes."""
    if group.size == 1:
        return state
    tensors: dict[str, Tensor] = {}
    skeleton = group.tell(json.dumps(_take_tensors(state, tensors)).encode())
    content = group.tell(safetensors.torch.save(tensors))
    shared: dict[str, Any] | None = _put_tensors(
        json.loads(skeleton), safetensors.torch.load(content)
    )
    return shared


def check_space(folder: Path, size: int) -> None:
    """Check that the disk of a folder has enough space.

    Args:
        folder: the folder, which need not exist yet.
        size: bytes to be written.

    Raises:
        OutputError: fewer than `size` bytes are free.
    """
    existing = next(p for p in (folder.absolute(), *folder.absolute().parents) if p.exists())
    free = shutil.disk_usage(existing).free
    if free < size:
        raise OutputError(
            f"a checkpoint takes {size / 1e6:,.1f} MB and {existing} has {free / 1e6:,.1f} MB "
            "free. Free some disk space."
        )


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Return the state in a file.

    Raises:
        SafetensorError, OSError, ValueError, TypeError, ...: it is damaged.
    """
    if not path.is_file():  # to open a pipe would wait for a writer
        raise ValueError("it is not a regular file")
    check_seal(path)
    with safe_open(path, framework="pt") as file:
        skeleton = read_json(file.metadata()[_KEY])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    state = _put_tensors(skeleton, tensors)
    if not isinstance(state, dict):
        raise ValueError("it holds no state of a training")
    for name, kind in _FIELDS.items():
        if not isinstance(state.get(name), kind):
            raise ValueError(f"its field {name!r} is missing or of another type")
    if state["batches_drawn"] < 0:
        raise ValueError("its number of batches is negative")
    return state


def _take_tensors(value: Any, tensors: dict[str, Tensor]) -> Any:
    """Return the value as JSON, with tensors moved to `tensors` and replaced by their names."""
    match value:
        case Tensor():
            name = str(len(tensors))
            tensors[name] = value.detach().to("cpu", copy=True).contiguous()
            return {"tensor": name}
        case dict():  # as pairs: JSON would turn the integer keys of an optimizer into text
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
