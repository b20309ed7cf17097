"""A checkpoint of another project: its tensors, plain values and class names by path."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ganzoo.errors import ImportFileError
from ganzoo.importers.values import Entries, Name, Record, Storage, StoredTensor, brief

MAX_NODES = 300_000  # values that are visited; shared ones count each time
MAX_DEPTH = 100
MAX_PATH = 1_000  # characters
PERSISTENT = "_reconstruct_persistent_obj"  # NVIDIA's pickles: a class with its source code
PERSISTENT_VERSION = 6
MEMBERS = ("_parameters", "_buffers", "_modules")  # of an nn.Module, which its names leave out

Plain = None | bool | int | float | str | bytes | Name


@dataclass(frozen=True)
class Checkpoint:
    """The content of a checkpoint, by path; parts of a path are joined by ``.``.

    The members of an ``nn.Module`` have the paths of its ``state_dict()``.

    Attributes:
        file: the file's name, without folders.
        size: its size in bytes.
        sha256: its digest.
        container: the kind of file, such as ``zip archive of torch.save``.
        names: the classes and functions that it names. Nothing of it was imported or called.
        tensors: its tensors.
        values: its plain values; a list of plain values is a tuple.
        classes: the class of each object that is no dictionary, list or plain value.
        sources: SHA-256 of each source text in it. The texts were dropped.
        config: the content of a config.json beside it.
    """

    file: str
    size: int
    sha256: str
    container: str
    names: frozenset[str]
    tensors: Mapping[str, StoredTensor]
    values: Mapping[str, Plain | tuple[Plain, ...]]
    classes: Mapping[str, Name]
    sources: frozenset[str]
    config: Mapping[str, Any]

    def under(self, prefix: str) -> Checkpoint:
        """Return the part of the checkpoint below a path, such as ``G_ema``."""
        start = f"{prefix}."

        def below(mapping: Mapping[str, Any]) -> dict[str, Any]:
            return {k.removeprefix(start): v for k, v in mapping.items() if k.startswith(start)}

        return Checkpoint(
            **vars(self)
            | {name: below(getattr(self, name)) for name in ("tensors", "values", "classes")}
        )


@dataclass
class Content:
    """What a walk through the value of a file collects; see `Checkpoint`."""

    tensors: dict[str, StoredTensor] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    classes: dict[str, Name] = field(default_factory=dict)
    sources: set[str] = field(default_factory=set)


def collect(root: Any) -> Content:
    """Walk through the value of a file.

    Raises:
        ImportFileError: it has too many values, is too deep, or has two values of one path.
    """
    content, nodes = Content(), 0
    waiting: list[tuple[str, int, Any]] = [("", 0, root)]
    while waiting:
        path, depth, value = waiting.pop()
        nodes += 1
        if nodes > MAX_NODES or depth > MAX_DEPTH or len(path) > MAX_PATH:
            raise ImportFileError(
                f"the file has more than {MAX_NODES:,} values, {MAX_DEPTH} levels or "
                f"{MAX_PATH:,} characters in a name, the limits of a checkpoint."
            )
        nodes += len(value) if isinstance(value, list | tuple) else 0  # each may be shared
        children = _visit(path, value, content)
        waiting += [
            (f"{path}.{key}" if path else key, depth + 1, part)
            for key, part in reversed(children)  # the order of the file
        ]
    return content


def _visit(path: str, value: Any, content: Content) -> list[tuple[str, Any]]:
    """Add a value to the content, or return its parts by name."""
    if isinstance(value, StoredTensor):
        _add(content.tensors, path, value)
    elif isinstance(value, Entries):
        return _named(value.items()) + _attributes(value.state, content)
    elif isinstance(value, Record):
        return _record(path, value, content)
    elif isinstance(value, list | tuple):
        if not all(isinstance(item, Plain) for item in value):
            return _named(enumerate(value))
        _add(content.values, path, tuple(value))
    elif isinstance(value, Storage):
        _add(content.classes, path, Name("torch", "UntypedStorage"))
    else:
        _add(content.values, path, value)
    return []


def _record(path: str, record: Record, content: Content) -> list[tuple[str, Any]]:
    name, state = record.callable, record.state
    parts: list[tuple[str, Any]] = []
    if name.last == PERSISTENT:
        name, state = _persistent(record, content)
    else:
        parts = [(f"args.{k}", argument) for k, argument in enumerate(record.args)]
    _add(content.classes, path, name)
    parts += _named(record.entries) + _named(enumerate(record.items))
    return parts + _attributes(state, content)


def _persistent(record: Record, content: Content) -> tuple[Name, Any]:
    """Return class and state of an object of NVIDIA's persistence; its source code is dropped."""
    meta = record.args[0] if len(record.args) == 1 else None
    if not isinstance(meta, dict):
        raise ImportFileError("an object of the file has no description. Get the file again.")
    version, kind, name = (meta.get(key) for key in ("version", "type", "class_name"))
    if version != PERSISTENT_VERSION or kind != "class" or not isinstance(name, str):
        raise ImportFileError(
            f"an object of the file has version {brief(version)} and type {brief(kind)}. "
            f"Objects of version {PERSISTENT_VERSION} and type 'class' are known."
        )
    source = meta.get("module_src")
    if isinstance(source, str):
        content.sources.add(hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest())
    return Name(str(record.callable.module), name[:200]), meta.get("state")


def _attributes(state: Any, content: Content) -> list[tuple[str, Any]]:
    """Return the attributes that a state sets; members of an nn.Module lose their group's name."""
    slots = isinstance(state, tuple) and len(state) == 2  # of a class with slots
    if slots and all(part is None or isinstance(part, dict) for part in state):
        return _attributes(state[0], content) + _attributes(state[1], content)
    if not isinstance(state, dict):
        return [] if state is None else [("state", state)]
    parts = []
    for key, value in state.items():
        if key in MEMBERS and isinstance(value, Entries):
            parts += _named((k, v) for k, v in value.items() if v is not None)
        elif key != "_metadata":  # versions of torch's modules
            parts.append((str(key), value))
    return parts


def _named(pairs: Any) -> list[tuple[str, Any]]:
    return [(str(key), value) for key, value in pairs]


def _add(mapping: dict[str, Any], path: str, value: Any) -> None:
    if path in mapping:
        raise ImportFileError(f"the file has two values named {path[:100]!r}. Get the file again.")
    mapping[path] = value
