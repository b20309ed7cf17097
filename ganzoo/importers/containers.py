"""Open the file of a checkpoint: its container is known by its first bytes, not by its suffix."""

from __future__ import annotations

import codecs
import hashlib
import io
import mmap
import warnings
from collections.abc import Collection
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from ganzoo.errors import ImportFileError
from ganzoo.importers.checkpoint import Checkpoint, collect
from ganzoo.importers.torch_files import MAGIC, read_legacy, read_zip
from ganzoo.importers.unpickle import Unpickler
from ganzoo.importers.values import (
    DTYPES,
    OTHERS,
    Dtype,
    Entries,
    StoredTensor,
    check_shape,
    is_count,
    unread,
    widen,
)
from ganzoo.spec.json_text import read_json
from ganzoo.spec.lfs import explain_pointer

MAX_JSON = 2**20  # bytes of a config, and of the header of a safetensors file times 8
CONFIGS = ("config.json", ".config.json")
WEIGHTS = ("model.safetensors", "pytorch_model.bin", "diffusion_pytorch_model.safetensors")

_LEGACY = b"\x8a\n" + MAGIC.to_bytes(10, "little")
_SAFETENSORS = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U8": "uint8",
    "BOOL": "bool",
    "U64": "uint64",
    "U32": "uint32",
    "U16": "uint16",
    "F8_E5M2": "float8_e5m2",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E8M0": "float8_e8m0fnu",
    "C64": "complex64",
}
_OTHERS = {  # first bytes of files that are no checkpoint, and what to do
    b"<": "a web page. Download the file itself",
    b"{": "a JSON file. Pass the file of the weights beside it",
    b"\x1f\x8b": "compressed with gzip. Unpack it with `gunzip`",
    b"BZh": "compressed with bzip2. Unpack it with `bunzip2`",
    b"\xfd7zXZ": "compressed with xz. Unpack it with `unxz`",
    b"\x89HDF": "an HDF5 file of Keras, which ganzoo does not read",
    b"\x93NUMPY": "a NumPy array. A checkpoint has names of weights",
    b"Rar!": "a rar archive. Unpack it",
    b"7z\xbc\xaf": "a 7z archive. Unpack it",
}
_READ = (
    "ganzoo reads pickles, files of torch.save, safetensors files, and folders with one of them. "
    "Pass the file of the weights"
)
_TENSORFLOW = ("dnnlib.tflib.", "tfutil.")  # modules of StyleGAN, StyleGAN2 and the older PGGAN


class _Opened(NamedTuple):
    container: str
    value: Any
    names: frozenset[str] = frozenset()


def open_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint without executing anything of it, and without torch.

    Args:
        path: a file, or a folder with the file of weights and its config.json.

    Raises:
        ImportFileError: the file is missing, damaged, or no checkpoint.
    """
    file = _find(path)
    try:
        if text := explain_pointer(file):
            raise ImportFileError(text)
        with file.open("rb") as opened:
            size = file.stat().st_size
            if not size:
                raise ImportFileError(f"{file} is empty. Get the file again.")
            content = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise ImportFileError(f"cannot read {file}: {error.strerror or error}.") from error
    try:
        opened_file = _open(content)
        if any(name.startswith(_TENSORFLOW) for name in opened_file.names):
            raise ImportFileError(
                "it is a pickle of NVIDIA's programs for TensorFlow. If it is a StyleGAN2, convert "
                "it with NVIDIA's stylegan2-ada-pytorch (`python legacy.py --source=FILE "
                "--dest=NEW.pkl`), and import the result. There is no such program for older GANs."
            )
        collected = collect(opened_file.value)
        if not any(tensor.dtype.is_read for tensor in collected.tensors.values()):
            raise ImportFileError(_without_tensors(opened_file))
    except ImportFileError as error:
        raise ImportFileError(f"{file}: {error}") from error
    return Checkpoint(
        file=file.name,
        size=size,
        sha256=hashlib.sha256(content).hexdigest(),
        container=opened_file.container,
        names=opened_file.names,
        tensors=collected.tensors,
        values=collected.values,
        classes=collected.classes,
        sources=frozenset(collected.sources),
        config=_read_config(file.parent, required=path.is_dir()),
    )


def _without_tensors(opened: _Opened) -> str:
    names = ", ".join(sorted(opened.names)[:5])
    named = f" It names {names}; nothing of it was executed." if names else ""
    return f"it is a {opened.container} without tensors, so no checkpoint.{named}"


def _find(path: Path) -> Path:
    if not path.is_dir():
        if not path.is_file():
            raise ImportFileError(f"file not found: {path}. Pass the path of a checkpoint.")
        return path
    files = [path / name for name in WEIGHTS if (path / name).is_file()]
    if not files:
        raise ImportFileError(
            f"the folder {path} has none of {', '.join(WEIGHTS)}. Pass the file of the weights."
        )
    return files[0]


def _open(content: mmap.mmap) -> _Opened:
    head = content[:300]
    if head.startswith(b"PK\x03\x04"):
        return _read_zip(content)
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= len(content) - 8:
        return _Opened("safetensors file", _read_safetensors(content))
    for start, kind in _OTHERS.items():
        if head.startswith(start):
            raise ImportFileError(f"it is {kind}.")
    if head[257:262] == b"ustar":
        raise ImportFileError("it is a tar archive. Unpack it, and import a file of it.")
    unpickler = Unpickler()
    if head[:1] == b"\x80" and head[2:].startswith(_LEGACY):
        value = read_legacy(_stream(content), unpickler.read_nested)
        return _Opened("file of torch.save before 1.6", value, frozenset(unpickler.names))
    stream = _stream(content)
    try:
        value = unpickler.read(stream)
        if stream.tell() != len(content):
            raise ImportFileError(
                f"the pickle is followed by {len(content) - stream.tell():,} bytes. Get the file "
                "again."
            )
    except ImportFileError as error:
        # Pickles begin with their protocol, except old ones, which begin like many other files.
        if head[:1] == b"\x80" or (_are_classes(unpickler.names) and error.__cause__ is None):
            raise
        raise ImportFileError(f"it is not a checkpoint, or is damaged. {_READ}.") from error
    return _Opened("pickle", value, frozenset(unpickler.names))


def _are_classes(names: Collection[str]) -> bool:
    """Return whether there are names, and Python could have classes of all of them."""
    return bool(names) and all(part.isidentifier() for n in names for part in n.split("."))


def _stream(content: mmap.mmap) -> BinaryIO:
    return content  # type: ignore[return-value]  # it has read, readline, seek and tell


def _read_zip(content: mmap.mmap) -> _Opened:
    unpickler = Unpickler()
    value = read_zip(io.BufferedReader(_Raw(content)), unpickler.read_nested)
    return _Opened("zip archive of torch.save", value, frozenset(unpickler.names))


class _Raw(io.RawIOBase):
    """A seekable stream of a memory map, which `zipfile` can read."""

    def __init__(self, content: mmap.mmap) -> None:
        self._content, self._position = content, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: len(self._content)}
        if (position := start[whence] + offset) < 0:
            raise ValueError("negative position")
        self._position = position
        return position

    def readinto(self, buffer: Any) -> int:
        part = self._content[self._position : self._position + len(buffer)]
        buffer[: len(part)] = part
        self._position += len(part)
        return len(part)


def _read_safetensors(content: mmap.mmap) -> Entries:
    length = int.from_bytes(content[:8], "little")
    header = _parse_json(content[8 : 8 + length], "the header", 8 * MAX_JSON)
    start, tensors = 8 + length, Entries()
    spans: list[tuple[int, int]] = []
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        try:
            dtype = (DTYPES | OTHERS)[_SAFETENSORS[entry["dtype"]]]
            shape, (begin, end) = check_shape(entry["shape"]), entry["data_offsets"]
            if not (is_count(begin) and is_count(end)):
                raise TypeError
        except (LookupError, TypeError, ValueError) as error:
            raise ImportFileError(
                f"the tensor {name[:100]!r} is not described as numbers. Get the file again."
            ) from error
        size = dtype.size
        for side in shape:
            size *= side
        if not begin <= end <= len(content) - start or end - begin != size:
            raise ImportFileError(
                f"the tensor {name[:100]!r} has {end - begin:,} bytes; its shape needs {size:,}."
            )
        tensors[name] = (
            _tensor(content, dtype, shape, start + begin) if dtype.is_read else unread(dtype, shape)
        )
        spans.append((begin, end))
    # As the safetensors library does: each byte belongs to one tensor.
    ends = [0, *(end for _, end in sorted(spans))]
    if [*(begin for begin, _ in sorted(spans)), len(content) - start] != ends:
        raise ImportFileError(
            "its tensors overlap, or leave bytes between or after them. Get the file again."
        )
    return tensors


def _tensor(content: mmap.mmap, dtype: Dtype, shape: tuple[int, ...], start: int) -> StoredTensor:
    size = int(np.prod(shape, dtype=np.int64)) * dtype.size

    def read() -> Any:
        array = np.frombuffer(content[start : start + size], dtype.raw).reshape(shape)
        return widen(array.copy(), dtype)

    return StoredTensor(dtype, shape, read)


def _read_config(folder: Path, *, required: bool) -> dict[str, Any]:
    """Return the content of the first config of a folder.

    Args:
        folder: the folder.
        required: whether a config that cannot be read is an error. Else it may be of something
            else, and this warns of it.
    """
    file = next((folder / name for name in CONFIGS if (folder / name).is_file()), None)
    if file is None:
        return {}
    try:
        if text := explain_pointer(file):
            raise ImportFileError(text)
        content = file.read_bytes() if file.stat().st_size <= MAX_JSON else bytes(MAX_JSON + 1)
        # Some editors write a byte order mark.
        return _parse_json(content.removeprefix(codecs.BOM_UTF8), str(file), MAX_JSON)
    except (ImportFileError, OSError) as error:
        reason = str(error) if isinstance(error, ImportFileError) else f"cannot read {file}."
        if required:
            raise ImportFileError(reason) from error
        warnings.warn(f"the config beside the checkpoint is not used: {reason}", stacklevel=3)
        return {}


def _parse_json(text: bytes, where: str, limit: int) -> dict[str, Any]:
    if len(text) > limit:
        raise ImportFileError(f"{where} has more than {limit:,} bytes, the limit.")
    try:
        value = read_json(text)
    except ValueError as error:
        raise ImportFileError(f"{where} is not valid JSON: {str(error)[:100]}.") from error
    if not isinstance(value, dict):
        raise ImportFileError(f"{where} is not a JSON object.")
    return value
