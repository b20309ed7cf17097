"""Numbers that a graph computes from its inputs' sizes, such as the shape of a Reshape.

Only integers of 32 bits are computed, with the results of onnxruntime: division truncates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganzoo.runtimes.onnx_file import DTYPES, MAX_NUMBERS, Node, Value
from ganzoo.runtimes.onnx_shapes import Shape, slices

Array = NDArray[Any]


def evaluate(node: Node, inputs: Sequence[Value | None], shape: Shape) -> Array | None:
    """Return an operator's output, or None if it is not known, not an integer or too large.

    Args:
        node: the operator.
        inputs: its inputs.
        shape: the shape of its output.
    """
    arrays = [value.numbers for value in inputs if value is not None]
    known = [array for array in arrays if array is not None]
    if np.prod(shape, dtype=float) > MAX_NUMBERS or len(known) != len(arrays):
        return None
    if node.op in _RESHAPES:
        return known[0].reshape(shape)
    operation = _OPERATIONS.get(node.op)
    if operation is None or any(array.dtype.kind == "f" for array in known):
        return None
    if node.op not in _MOVES and not all(map(_fits_32_bits, known)):
        return None  # of larger integers, onnxruntime's Max and Min compare the lower 32 bits
    with np.errstate(all="ignore"):
        result = operation(node, inputs, shape, known)
    return None if result is None else np.asarray(result).reshape(shape)


def _fits_32_bits(array: Array) -> bool:
    return bool(((array >= -(2**31)) & (array < 2**31)).all())


_RESHAPES = {"Identity", "Reshape", "Squeeze", "Unsqueeze", "Flatten"}
_MOVES = {"Cast", "Concat", "Gather", "Slice", "Transpose", "Expand"}  # compute no numbers

_Operation = Callable[[Node, Sequence[Value | None], Shape, list[Array]], Any]


def _cast(node: Node, _inputs: Any, _shape: Shape, arrays: list[Array]) -> Any:
    dtype = np.dtype(DTYPES[node.attributes["to"]])
    return arrays[0].astype(dtype) if dtype.kind in "iub" else None


def _constant_of_shape(node: Node, _inputs: Any, shape: Shape, _arrays: list[Array]) -> Any:
    value = node.attributes.get("value")
    if value is None or value.numbers.dtype.kind == "f":  # without a value, zeros of float32
        return None
    return np.full(shape, value.numbers.item(), value.numbers.dtype)


def _range(_node: Node, _inputs: Any, shape: Shape, arrays: list[Array]) -> Any:
    start, _, delta = arrays
    return start + np.arange(shape[0], dtype=start.dtype) * delta


def _divide(node: Node, _inputs: Any, _shape: Shape, arrays: list[Array]) -> Any:
    """Return a quotient or remainder; None for a division that stops the process."""
    a, b = arrays
    if not b.all() or a.dtype.kind != "i" or (a == np.iinfo(a.dtype).min).any():
        return None
    if node.op == "Mod":
        return np.fmod(a, b) if node.attributes.get("fmod", 0) else np.mod(a, b)
    floor = a // b
    return floor + ((a % b != 0) & ((a < 0) != (b < 0)))


def _product(node: Node, _inputs: Any, _shape: Shape, arrays: list[Array]) -> Any:
    if len(arrays) > 1 or node.attributes.get("noop_with_empty_axes", 0):
        return None  # a product of all numbers is what shapes need
    return np.prod(arrays[0], dtype=arrays[0].dtype)


def _plain(function: Callable[..., Any]) -> _Operation:
    return lambda node, inputs, shape, arrays: function(*arrays)


_OPERATIONS: dict[str, _Operation] = {
    "Cast": _cast,
    "ConstantOfShape": _constant_of_shape,
    "Range": _range,
    "Div": _divide,
    "Mod": _divide,
    "ReduceProd": _product,
    "Concat": lambda node, _i, _s, arrays: np.concatenate(arrays, node.attributes["axis"]),
    "Gather": lambda node, _i, _s, arrays: arrays[0].take(
        arrays[1], node.attributes.get("axis", 0)
    ),
    "Slice": lambda node, inputs, _s, arrays: arrays[0][tuple(slices(inputs))],
    "Transpose": lambda node, _i, _s, arrays: arrays[0].transpose(node.attributes.get("perm")),
    "Expand": lambda node, _i, shape, arrays: np.broadcast_to(arrays[0], shape),
    "Add": _plain(np.add),
    "Sub": _plain(np.subtract),
    "Mul": _plain(np.multiply),
    "Max": _plain(lambda *arrays: np.maximum.reduce(np.broadcast_arrays(*arrays))),
    "Min": _plain(lambda *arrays: np.minimum.reduce(np.broadcast_arrays(*arrays))),
    "Neg": _plain(np.negative),
    "Abs": _plain(np.abs),
    "Not": _plain(np.logical_not),
    "Equal": _plain(np.equal),
    "Less": _plain(np.less),
    "LessOrEqual": _plain(np.less_equal),
    "Greater": _plain(np.greater),
    "GreaterOrEqual": _plain(np.greater_equal),
    "Where": _plain(np.where),
}
