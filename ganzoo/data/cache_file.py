"""Files of decoded images: safetensors, whose tensors are mapped into memory.

Each image has a checksum, which is compared whenever the image is read. A training reads its images
for weeks, and a byte that changes on the disk would change the model.
"""

from __future__ import annotations

import json
import math
import mmap
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import torch
from torch import Tensor

from ganzoo.data.reading import Items
from ganzoo.errors import DataError, OutputError
from ganzoo.spec import DataSpec
from ganzoo.spec.json_text import read_json
from ganzoo.system.quiet import ignored_warnings

HEADER = 2**16  # bytes at the start of a file; the format allows spaces after its JSON
DAMAGED, OTHER = "damaged", "of other images"
_DTYPES = {"labels": ("I64", torch.int64), "images": ("U8", torch.uint8)}
_DTYPES["conditions"] = _DTYPES["images"]
_CHECKSUMS = {"images": "image_checksums", "conditions": "condition_checksums"}
_DTYPES |= dict.fromkeys(_CHECKSUMS.values(), _DTYPES["labels"])


class Checksums:
    """The CRC-32 of each image of a file.

    Args:
        path: the file.
        values: by name of a tensor of images, int64 (n,).
    """

    def __init__(self, path: Path, values: Mapping[str, Tensor]) -> None:
        self._path = path
        self._values = values

    def check(self, name: str, rows: Tensor, index: Tensor | None = None) -> None:
        """Check that images that were read from the file are those that were written.

        Args:
            name: ``images`` or ``conditions``.
            rows: the images, uint8 (k, channels, height, width).
            index: their indices, int64 (k,); by default, `rows` are all images of the file.

        Raises:
            DataError: an image has another checksum.
        """
        expected = self._values[name] if index is None else self._values[name][index]
        equal = compute_checksums(rows) == expected
        if not equal.all():
            place = int(torch.nonzero(~equal)[0])
            raise DataError(
                f"the cache of decoded images {self._path} is damaged: image "
                f"{place if index is None else int(index[place]):,} differs from the one that was "
                "written. Delete the file; the next start decodes the images again. Check the disk "
                "if this happens again."
            )


def compute_checksums(rows: Tensor) -> Tensor:
    """Return the CRC-32 of each row of a uint8 tensor, int64 (n,)."""
    values = rows.contiguous().numpy()
    return torch.tensor([zlib.crc32(row.data) for row in values], dtype=torch.int64)


class CacheContent(NamedTuple):
    """The content of a file.

    Attributes:
        items: the items, mapped into memory.
        checksums: the checksums of the images, in memory.
        metadata: identity of the dataset, and facts about the images.
    """

    items: Items
    checksums: Checksums
    metadata: dict[str, str]


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
        images: dict[str, tuple[int, ...]] = {"images": (length, *spec.image.shape)}
        if spec.condition is not None:
            images["conditions"] = (length, *spec.condition.shape)
        self._checksums = {name: _CHECKSUMS[name] for name in images}
        names = ("labels", *self._checksums.values())
        shapes = {**dict.fromkeys(names, (length,)), **images}
        self.tensors: dict[str, dict[str, Any]] = {}
        end = 0
        for name, shape in shapes.items():
            code, dtype = _DTYPES[name]
            start, end = end, end + math.prod(shape) * dtype.itemsize
            offsets = [start, end]
            self.tensors[name] = {"dtype": code, "shape": list(shape), "data_offsets": offsets}
        self.size = HEADER + end

    def read(self) -> CacheContent | str:
        """Return the content of the file, or why it cannot be used: `DAMAGED` or `OTHER`."""
        if not self.path.is_file():  # to open a pipe would wait for a writer
            return DAMAGED
        try:
            with self.path.open("rb") as file:
                length = int.from_bytes(file.read(8), "little")
                if length != HEADER - 8:
                    return DAMAGED
                header = read_json(file.read(length))
                metadata = header.pop("__metadata__")
                end = max(tensor["data_offsets"][1] for tensor in header.values())
                if os.fstat(file.fileno()).st_size != HEADER + end:
                    return DAMAGED
                if not all(isinstance(v, str) for v in metadata.values()):
                    return DAMAGED
                if header != self.tensors:
                    return OTHER
                mapping = self._map(file)
                values = {
                    name: self._tensor(mapping, other).clone()
                    for name, other in self._checksums.items()
                }
                return CacheContent(self._items(mapping), Checksums(self.path, values), metadata)
        except (OSError, ValueError, LookupError, AttributeError, TypeError):
            return DAMAGED

    def map(self, file: BinaryIO) -> Items:
        """Return the items of an open file. Only what is used is read from the disk."""
        return self._items(self._map(file))

    def _map(self, file: BinaryIO) -> mmap.mmap:
        return mmap.mmap(file.fileno(), self.size, access=mmap.ACCESS_READ)

    def _items(self, mapping: mmap.mmap) -> Items:
        conditions = self._tensor(mapping, "conditions") if "conditions" in self.tensors else None
        return Items(self._tensor(mapping, "images"), self._tensor(mapping, "labels"), conditions)

    def _tensor(self, mapping: mmap.mmap, name: str) -> Tensor:
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
        tensors = {name: t for name, t in items._asdict().items() if t is not None and len(t)}
        sums = {
            _CHECKSUMS[name]: compute_checksums(t)
            for name, t in tensors.items()
            if name in _CHECKSUMS
        }
        for name, values in {**tensors, **sums}.items():
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
