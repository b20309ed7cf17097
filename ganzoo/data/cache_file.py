"""Files of decoded images: safetensors, whose tensors are mapped into memory."""

from __future__ import annotations

import json
import math
import mmap
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from ganzoo.data.reading import Items
from ganzoo.errors import OutputError
from ganzoo.spec import DataSpec
from ganzoo.spec.json_text import read_json
from ganzoo.system.quiet import ignored_warnings

HEADER = 2**16  # bytes at the start of a file; the format allows spaces after its JSON
_DTYPES = {"labels": ("I64", torch.int64), "images": ("U8", torch.uint8)}
_DTYPES["conditions"] = _DTYPES["images"]


class CacheFile:
    """The layout of a file that holds all items of a dataset.

    Args:
        path: the file.
        length: number of items.
        spec: the dataset's spec.

    Attributes:
        path: the file.
        size: bytes of the file.
        tensors: the entries of the tensors in the file's header, by name.
    """

    def __init__(self, path: Path, length: int, spec: DataSpec) -> None:
        self.path = path
        shapes = {"labels": (length,), "images": (length, *spec.image.shape)}
        if spec.condition is not None:
            shapes["conditions"] = (length, *spec.condition.shape)
        self.tensors: dict[str, dict[str, Any]] = {}
        end = 0
        for name, shape in shapes.items():
            code, dtype = _DTYPES[name]
            start, end = end, end + math.prod(shape) * dtype.itemsize
            offsets = [start, end]
            self.tensors[name] = {"dtype": code, "shape": list(shape), "data_offsets": offsets}
        self.size = HEADER + end

    def read(self) -> tuple[Items, dict[str, str]] | None:
        """Return the items, mapped into memory, and the metadata of the file.

        Returns None if there is no such file, or if it has another layout.
        """
        if not self.path.is_file():  # to open a pipe would wait for a writer
            return None
        try:
            with self.path.open("rb") as file:
                if os.fstat(file.fileno()).st_size != self.size:
                    return None
                length = int.from_bytes(file.read(8), "little")
                if length != HEADER - 8:
                    return None
                header = read_json(file.read(length))
                metadata = header.pop("__metadata__")
                if header != self.tensors or not all(isinstance(v, str) for v in metadata.values()):
                    return None
                return self.map(file), metadata
        except (OSError, ValueError, LookupError, AttributeError):
            return None

    def map(self, file: BinaryIO) -> Items:
        """Return the items of an open file. Only what is used is read from the disk."""
        mapping = mmap.mmap(file.fileno(), self.size, access=mmap.ACCESS_READ)
        return Items(*(self._tensor(mapping, name) for name in ("images", "labels", "conditions")))  # type: ignore[arg-type]

    def _tensor(self, mapping: mmap.mmap, name: str) -> Tensor | None:
        if name not in self.tensors:
            return None
        shape = self.tensors[name]["shape"]
        start, _ = self.tensors[name]["data_offsets"]
        with ignored_warnings(UserWarning):  # the tensor is read-only
            values = torch.frombuffer(
                mapping, dtype=_DTYPES[name][1], count=math.prod(shape), offset=HEADER + start
            )
        return values.reshape(shape)


class FileStore:
    """Items in an open file, to which several processes write.

    Args:
        layout: layout of the file.
        file: the file, under a temporary name.
    """

    def __init__(self, layout: CacheFile, file: BinaryIO) -> None:
        self._layout = layout
        self._file = file

    def map(self) -> Items:
        """Return the items, mapped into memory."""
        self._file.flush()
        with open(self._file.name, "rb") as file:
            return self._layout.map(file)

    def put(self, start: int, items: Items) -> None:
        """Store consecutive items.

        Raises:
            OutputError: the file cannot be written.
        """
        for name, values in items._asdict().items():
            if values is not None and len(values):
                view = memoryview(values.contiguous().numpy()).cast("B")
                row = len(view) // len(values)
                offset = self._layout.tensors[name]["data_offsets"][0]
                self._write(view, HEADER + offset + start * row)

    def finish(self, metadata: Mapping[str, str]) -> None:
        """Write the header. Call it after all items are stored.

        Raises:
            OutputError: the file cannot be written.
        """
        header = {"__metadata__": metadata, **self._layout.tensors}
        text = json.dumps(header).encode()
        length = HEADER - 8
        self._write(memoryview(length.to_bytes(8, "little") + text.ljust(length)), 0)

    def _write(self, content: memoryview, offset: int) -> None:
        try:
            if not hasattr(os, "pwrite"):  # Windows, where one process writes
                self._file.seek(offset)
                self._file.write(content)
                return
            while content:  # each process has its own position
                count = os.pwrite(self._file.fileno(), content, offset)
                content, offset = content[count:], offset + count
        except OSError as error:
            raise OutputError(
                f"cannot write {self._layout.path}: {error.strerror or error}."
            ) from error
