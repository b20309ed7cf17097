"""Check an ONNX file before onnxruntime loads it.

The file is memory-mapped and read field by field, so that a hostile file cannot exhaust memory.
Features that no exported network needs are rejected: data in other files, operators outside the
ONNX standard, and subgraphs, which may loop forever.

Open Neural Network Exchange, IR specification: https://onnx.ai/onnx/repo-docs/IR.html, encoded as
Protocol Buffers: https://protobuf.dev/programming-guides/encoding/.
"""

from __future__ import annotations

import math
import mmap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ganzoo.bundle import METADATA_KEY, check_size
from ganzoo.errors import BundleError
from ganzoo.spec import MAX_CONFIG

MAX_ONNX = 2**31 - 1  # bytes of a message of Protocol Buffers
MAX_FIELDS = 1_000_000  # of all messages in the file
MAX_UNPACKED = 1_000  # integers of a tensor that is not stored as raw data
CHUNK = 2**20  # numbers that are checked together

_DOMAINS = {b"", b"ai.onnx"}

# For each kind of message, the fields that hold messages to check, by field number.
_MESSAGES = {
    "model": {7: "graph", 8: "opset", 14: "entry"},
    "graph": {
        **{1: "node", 5: "tensor", 16: "entry"},
        **dict.fromkeys((11, 12, 13), "value"),
    },
    "node": {5: "attribute", 9: "entry"},
    "attribute": {5: "tensor", 10: "tensor"},
    "tensor": {16: "entry"},
    "value": {2: "type", 4: "entry"},
    "type": {1: "tensor type"},
    "tensor type": {2: "shape"},
    "shape": {1: "dimension"},
}
_REJECTED = {
    "model": {20: "training information", 25: "its own functions"},
    "graph": {14: "annotations", 15: "sparse tensors"},
    "attribute": {
        **{6: "a subgraph", 11: "subgraphs"},
        **{14: "types", 15: "types", 22: "sparse tensors", 23: "sparse tensors"},
    },
    "tensor": {
        **{3: "a tensor in segments", 13: "data in other files"},
        **dict.fromkeys((4, 10), "floats that are not stored as raw data"),
    },
}
# By ONNX type number: size in bytes, and the NumPy dtype of types that may hold NaN.
_TYPES: dict[int, tuple[int, str | None]] = {
    **{1: (4, "<f4"), 10: (2, "<f2"), 11: (8, "<f8"), 16: (2, None)},
    **{2: (1, None), 3: (1, None), 4: (2, None), 5: (2, None), 6: (4, None), 7: (8, None)},
    **{9: (1, None), 12: (4, None), 13: (8, None)},
}
_FLOAT16, _BFLOAT16 = 10, 16


@dataclass
class _Tensor:
    kind: int = 0
    dims: list[int] = field(default_factory=list)
    raw: tuple[int, int] | None = None


class _FaultError(ValueError):
    """A fault of the file, as the end of a sentence."""


def read_config(file: Path) -> str | None:
    """Check an ONNX file and return the config in its metadata, None without one.

    The check needs a few megabytes of memory for a file of any size.

    Raises:
        BundleError: the file is not ONNX, or it holds data in other files, custom operators,
            subgraphs, NaN or infinite weights, weights that are not raw data, a tensor whose size
            differs from its declared shape, or metadata of more than `MAX_CONFIG` bytes.
    """
    check_size(file, MAX_ONNX)
    try:
        with file.open("rb") as opened:
            if not file.stat().st_size:
                raise _FaultError("it is empty")
            with (
                mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
                memoryview(mapped) as data,
            ):
                return _Walk(data).model()
    except _FaultError as error:
        raise BundleError(
            f"{file} is not an ONNX file that ganzoo runs: {error}. Get the bundle again."
        ) from error


class _Walk:
    def __init__(self, data: memoryview) -> None:
        self.data = data
        self.fields = 0
        self.configs: list[str] = []

    def model(self) -> str | None:
        self._message("model", 0, len(self.data))
        return self.configs[0] if self.configs else None

    def _message(self, kind: str, start: int, end: int) -> None:
        """Check a message; messages nest to a depth of six, never within their own kind."""
        tensor, entry = _Tensor(), {1: b"", 2: b""}
        for number, value, span in self._fields(start, end):
            if feature := _REJECTED.get(kind, {}).get(number):
                raise _FaultError(f"it has {feature}")
            inner = _MESSAGES.get(kind, {}).get(number)
            if inner and span:
                self._message(inner, *span)
            elif inner:
                raise _FaultError(f"field {number} of a {kind} is not a message")
            elif kind == "node" and number == 7 and span and self._bytes(span) not in _DOMAINS:
                raise _FaultError(f"it has operators of the domain {self._bytes(span)!r}")
            elif kind == "tensor":
                self._tensor_field(tensor, number, value, span)
            elif kind == "entry" and number in entry and span:
                if (size := span[1] - span[0]) > MAX_CONFIG:
                    raise _FaultError(f"it has metadata of {size:,} bytes")
                entry[number] = bytes(self.data[slice(*span)])
        if kind == "tensor":
            self._check(tensor)
        if kind == "entry" and entry[1] == METADATA_KEY.encode():
            if self.configs:
                raise _FaultError("it has more than one config")
            self.configs.append(entry[2].decode(errors="replace"))

    def _tensor_field(
        self, tensor: _Tensor, number: int, value: int, span: tuple[int, int] | None
    ) -> None:
        if number == 1 and span:
            tensor.dims += self._packed(*span)
        elif number == 1:
            tensor.dims.append(value)
        elif number == 2:
            tensor.kind = value
        elif number == 9 and span:
            tensor.raw = span
        elif number == 14 and value:
            raise _FaultError("it has data in other files")

    def _check(self, tensor: _Tensor) -> None:
        numbers = math.prod(tensor.dims)
        if tensor.raw is None:
            if numbers > MAX_UNPACKED or tensor.kind in (_FLOAT16, _BFLOAT16):
                raise _FaultError(f"a tensor of {_shape(tensor)} has no raw data")
            return
        if tensor.kind not in _TYPES:
            raise _FaultError(f"a tensor has the unknown type {tensor.kind}")
        size, _ = _TYPES[tensor.kind]
        start, end = tensor.raw
        if numbers * size != end - start:
            raise _FaultError(f"a tensor of {_shape(tensor)} has {end - start:,} bytes")
        if not tensor.dims:  # a bound, which may be infinite
            return
        raw = self.data[start:end]
        finite = _is_finite(raw, tensor.kind)
        raw.release()
        if not finite:
            raise _FaultError("its weights contain NaN or infinity")

    def _fields(self, at: int, end: int) -> Iterator[tuple[int, int, tuple[int, int] | None]]:
        """Yield each field of a message: its number, its value, and the span of a bytes field."""
        while at < end:
            self.fields += 1
            if self.fields > MAX_FIELDS:
                raise _FaultError(f"it has more than {MAX_FIELDS:,} parts")
            tag, at = self._varint(at, end)
            value, span = 0, None
            match tag & 7:
                case 0:
                    value, at = self._varint(at, end)
                case 1:
                    at += 8
                case 2:
                    size, at = self._varint(at, end)
                    span = (at, at + size)
                    at += size
                case 5:
                    at += 4
                case _:
                    raise _FaultError("it is not encoded as Protocol Buffers")
            if at > end:
                raise _FaultError("it is truncated, or not encoded as Protocol Buffers")
            yield tag >> 3, value, span

    def _varint(self, at: int, end: int) -> tuple[int, int]:
        value = 0
        for shift in range(0, 70, 7):
            if at >= end:
                break
            byte = self.data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value & (2**64 - 1), at
        raise _FaultError("it is not encoded as Protocol Buffers")

    def _packed(self, at: int, end: int) -> Iterator[int]:
        while at < end:
            self.fields += 1
            if self.fields > MAX_FIELDS:
                raise _FaultError(f"it has more than {MAX_FIELDS:,} parts")
            value, at = self._varint(at, end)
            yield value

    def _bytes(self, span: tuple[int, int]) -> bytes:
        start, end = span
        return bytes(self.data[start : min(end, start + 80)])


def _is_finite(raw: memoryview, kind: int) -> bool:
    _, dtype = _TYPES[kind]
    if not dtype and kind != _BFLOAT16:
        return True
    numbers = np.frombuffer(raw, dtype or "<u2")
    for start in range(0, len(numbers), CHUNK):
        chunk = numbers[start : start + CHUNK]
        finite = np.isfinite(chunk) if dtype else (chunk & 0x7F80) != 0x7F80
        if not finite.all():
            return False
    return True


def _shape(tensor: _Tensor) -> str:
    return "x".join(map(str, tensor.dims[:8])) or "one number"
