"""Check an ONNX file before onnxruntime loads it.

The file is read once, and onnxruntime gets exactly the bytes that passed the check. The schema
lists the fields that exported networks use. Any other is refused, among them data in other files,
functions, and subgraphs, which may loop forever. `ganzoo.runtimes.protobuf` accepts only bytes that
every parser reads alike, and `ganzoo.runtimes.onnx_work` bounds the computation.

Open Neural Network Exchange, IR specification: https://onnx.ai/onnx/repo-docs/IR.html.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ganzoo.bundle import METADATA_KEY, check_size
from ganzoo.errors import BundleError
from ganzoo.runtimes.protobuf import Field, Message, Reader, WireError
from ganzoo.runtimes.signature import W_AVERAGE
from ganzoo.spec import MAX_CONFIG

MAX_ONNX = 2**31 - 1  # bytes of a message of Protocol Buffers
MAX_FIELDS = 200_000  # of all messages in the file
MAX_DIMS = 16  # of a tensor
MAX_NUMBERS = 1_000  # of a tensor whose numbers are kept
CHUNK = 2**20  # numbers that are checked together

_DOMAINS = {"", "ai.onnx"}

_NOT_RAW = dict.fromkeys((4, 5, 7, 10, 11), "numbers that are not stored as raw data")
_METADATA = "metadata outside the model's own"

_ENTRY = Message("metadata", {1: Field("key", "text"), 2: Field("value", "text", limit=MAX_CONFIG)})
_TENSOR = Message(
    "tensor",
    {
        1: Field("dims", "int64", repeated=True),
        2: Field("kind", "int32"),
        8: Field("name", "text"),
        9: Field("raw", "bytes"),
        12: Field("doc_string", "text"),
        14: Field("location", "int32", choices=2),
    },
    {
        **{3: "a tensor in segments", 6: "tensors of text", 13: "data in other files"},
        **_NOT_RAW,
        16: _METADATA,
    },
)
_ATTRIBUTE = Message(
    "attribute",
    {
        1: Field("name", "text"),
        2: Field("f", "float"),
        3: Field("i", "int64"),
        4: Field("s", "text"),
        5: Field("t", _TENSOR),
        7: Field("floats", "float", repeated=True),
        8: Field("ints", "int64", repeated=True),
        9: Field("strings", "text", repeated=True),
        13: Field("doc_string", "text"),
        20: Field("type", "int32", choices=15),
    },
    {
        **{6: "a subgraph", 11: "subgraphs", 10: "lists of tensors", 21: "references"},
        **{14: "types", 15: "types", 22: "sparse tensors", 23: "sparse tensors"},
    },
)
_NODE = Message(
    "node",
    {
        1: Field("input", "text", repeated=True),
        2: Field("output", "text", repeated=True),
        3: Field("name", "text"),
        4: Field("op_type", "text"),
        5: Field("attribute", _ATTRIBUTE, repeated=True),
        6: Field("doc_string", "text"),
        7: Field("domain", "text"),
    },
    {8: "overloaded functions", 9: _METADATA, 10: "device configurations"},
)
_DIMENSION = Message("dimension", {1: Field("size", "int64"), 2: Field("size", "text")})
_SHAPE = Message("shape", {1: Field("dim", _DIMENSION, repeated=True)})
_TENSOR_TYPE = Message("tensor type", {1: Field("elem_type", "int32"), 2: Field("shape", _SHAPE)})
_TYPE = Message("type", {1: Field("tensor_type", _TENSOR_TYPE)})
_VALUE = Message(
    "value",
    {1: Field("name", "text"), 2: Field("type", _TYPE), 3: Field("doc_string", "text")},
    {4: _METADATA},
)
_GRAPH = Message(
    "graph",
    {
        1: Field("node", _NODE, repeated=True),
        2: Field("name", "text"),
        5: Field("initializer", _TENSOR, repeated=True),
        10: Field("doc_string", "text"),
        11: Field("input", _VALUE, repeated=True),
        12: Field("output", _VALUE, repeated=True),
        13: Field("value_info", _VALUE, repeated=True),
    },
    {14: "annotations", 15: "sparse tensors", 16: _METADATA},
)
_OPSET = Message("opset", {1: Field("domain", "text"), 2: Field("version", "int64")})
_MODEL = Message(
    "model",
    {
        1: Field("ir_version", "int64"),
        2: Field("producer_name", "text"),
        3: Field("producer_version", "text"),
        4: Field("domain", "text"),
        5: Field("model_version", "int64"),
        6: Field("doc_string", "text"),
        7: Field("graph", _GRAPH),
        8: Field("opset", _OPSET, repeated=True),
        14: Field("metadata", _ENTRY, repeated=True),
    },
    {20: "training information", 25: "its own functions", 26: "device configurations"},
)

# The field that holds an attribute's value, by the attribute's type, and the value without a field.
_ATTRIBUTE_VALUES: dict[int, tuple[str, Any]] = {
    **{1: ("f", 0.0), 2: ("i", 0), 3: ("s", ""), 4: ("t", None)},
    **{6: ("floats", []), 7: ("ints", []), 8: ("strings", [])},
}
# By ONNX type number: the NumPy dtype. NumPy has no bfloat16; its bits are checked instead.
DTYPES = {
    **{1: "<f4", 2: "u1", 3: "i1", 4: "<u2", 5: "<i2", 6: "<i4", 7: "<i8", 9: "?"},
    **{10: "<f2", 11: "<f8", 12: "<u4", 13: "<u8", 16: "<u2"},
}
_FLOAT32, _BFLOAT16 = 1, 16
_FLOAT_ATTRIBUTES = (1, 6)
_FLOATS = {_FLOAT32, 10, 11}


class Value(NamedTuple):
    """A tensor: its shape, a copy of its numbers if they are known and few, and its type.

    A sequence of tensors has the items, and the shape of all their numbers in one row.
    """

    shape: tuple[int, ...]
    numbers: NDArray[Any] | None = None
    items: tuple[Value, ...] = ()
    is_integer: bool = False


@dataclass(frozen=True)
class Node:
    """An operation: names of its inputs and outputs, and its attributes by name."""

    op: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, Any]


@dataclass(frozen=True)
class OnnxFile:
    """A checked file: its bytes, the config in its metadata if any, and its graph."""

    content: bytes
    config: str | None
    opset: int
    nodes: list[Node]
    tensors: list[tuple[str, Value]]
    w_average: NDArray[np.float32] | None  # of a generator with styles

    @property
    def weights(self) -> int:
        """How many numbers the file holds."""
        return sum(math.prod(value.shape) for _, value in self.tensors)


def read_onnx(file: Path) -> OnnxFile:
    """Read an ONNX file and check it.

    The check needs a few megabytes of memory beside the file's bytes, for a file of any size.

    Raises:
        BundleError: the file is not ONNX, or it holds data in other files, custom operators,
            subgraphs, NaN or infinite weights, weights that are not raw data, a tensor whose size
            differs from its declared shape, metadata of more than `MAX_CONFIG` bytes, or a field
            that no exported network has.
    """
    check_size(file, MAX_ONNX)
    content = file.read_bytes()
    try:
        return _check(content)
    except WireError as error:
        raise BundleError(
            f"{file} is not an ONNX file that ganzoo runs: {error}. Get the bundle again."
        ) from error


def _check(content: bytes) -> OnnxFile:
    if not content:
        raise WireError("it is empty")
    model = Reader(memoryview(content), MAX_FIELDS).read(_MODEL)
    if "graph" not in model:
        raise WireError("it has no graph")
    graph = model["graph"]
    for values in ("input", "output"):
        names = [value.get("name", "") for value in graph.get(values, [])]
        if len(names) != len(set(names)):
            raise WireError(f"it has more than one {values} of one name")
    return OnnxFile(
        content,
        _config(model.get("metadata", [])),
        _opset(model.get("opset", [])),
        [_node(node) for node in graph.get("node", [])],
        [(tensor.get("name", ""), _tensor(tensor)) for tensor in graph.get("initializer", [])],
        _w_average(graph.get("initializer", [])),
    )


def _config(entries: list[dict[str, str]]) -> str | None:
    metadata = [(entry.get("key", ""), entry.get("value", "")) for entry in entries]
    if len(metadata) != len(dict(metadata)):
        raise WireError("it has more than one config, or other metadata of one name")
    return dict(metadata).get(METADATA_KEY)


def _opset(opsets: list[dict[str, Any]]) -> int:
    if len(opsets) != 1 or opsets[0].get("domain", "") not in _DOMAINS:
        names = [opset.get("domain", "")[:80] for opset in opsets[:8]]
        raise WireError(f"it has operators of the domains {names}, not of the ONNX standard alone")
    return int(opsets[0].get("version", 0))


def _node(node: dict[str, Any]) -> Node:
    domain = node.get("domain", "")
    if domain not in _DOMAINS:
        raise WireError(f"it has operators of the domain {domain[:80]!r}")
    attributes = [_attribute(attribute) for attribute in node.get("attribute", [])]
    if len(attributes) != len(dict(attributes)):
        raise WireError("an operator has two attributes of one name")
    return Node(
        node.get("op_type", ""), node.get("input", []), node.get("output", []), dict(attributes)
    )


def _attribute(attribute: dict[str, Any]) -> tuple[str, Any]:
    """Return an attribute's name and the value of its type; no other value may be present."""
    kind = attribute.get("type", 0)
    if kind not in _ATTRIBUTE_VALUES:
        raise WireError(f"an attribute has the unknown type {kind}")
    key, default = _ATTRIBUTE_VALUES[kind]
    others = attribute.keys() - {key, "name", "type", "doc_string"}
    value = attribute.get(key, default)
    if others or value is None:
        raise WireError("the value of an attribute is not of its type")
    if kind in _FLOAT_ATTRIBUTES:
        numbers = np.array(value, "<f4")
        if not _is_usable(memoryview(numbers.tobytes()), _FLOAT32, single=not numbers.ndim):
            raise WireError("an attribute is NaN or infinite")
    return attribute.get("name", ""), _tensor(value) if key == "t" else value


def _tensor(tensor: dict[str, Any]) -> Value:
    kind, dims, raw = tensor.get("kind", 0), tuple(tensor.get("dims", ())), tensor.get("raw")
    shape = "x".join(map(str, dims[:8])) or "one number"
    if tensor.get("location", 0):
        raise WireError("it has data in other files")
    if kind not in DTYPES:
        raise WireError(f"a tensor has the unknown type {kind}")
    if len(dims) > MAX_DIMS or min(dims, default=0) < 0:
        raise WireError(f"a tensor has the shape {shape}")
    if raw is None:
        raise WireError(f"a tensor of {shape} has no raw data")
    if math.prod(dims) * np.dtype(DTYPES[kind]).itemsize != len(raw):
        raise WireError(f"a tensor of {shape} has {len(raw):,} bytes")
    if not _is_usable(raw, kind, single=not dims):
        raise WireError("its weights contain NaN or infinity")
    if math.prod(dims) > MAX_NUMBERS or kind == _BFLOAT16:
        return Value(dims, is_integer=is_integer(kind))
    numbers = np.frombuffer(raw, DTYPES[kind]).reshape(dims).copy()
    return Value(dims, numbers, is_integer=is_integer(kind))


def _w_average(tensors: list[dict[str, Any]]) -> NDArray[np.float32] | None:
    for tensor in tensors:
        if tensor.get("name") == W_AVERAGE and tensor["kind"] == _FLOAT32:
            return np.frombuffer(tensor["raw"], "<f4").copy()
    return None


def is_integer(kind: int) -> bool:
    """Whether an ONNX type number is that of integers."""
    return kind != _BFLOAT16 and np.dtype(DTYPES[kind]).kind in "iu"


def _is_usable(raw: memoryview, kind: int, *, single: bool) -> bool:
    """Return whether numbers are finite; a single one may be a bound, which may be infinite."""
    if kind not in _FLOATS and kind != _BFLOAT16:
        return True
    numbers = np.frombuffer(raw, DTYPES[kind])
    for start in range(0, len(numbers), CHUNK):
        chunk = numbers[start : start + CHUNK]
        if kind == _BFLOAT16:  # infinity has the largest exponent, and NaN also a fraction
            largest = 0x7F80 if single else 0x7F7F
            usable = (chunk & 0x7FFF) <= largest
        else:
            usable = ~np.isnan(chunk) if single else np.isfinite(chunk)
        if not usable.all():
            return False
    return True
