"""Shapes and costs of ONNX operators, from the shapes of their inputs.

Every rule returns the shapes of an operator's outputs and, if its cost is more than linear in the
sizes of its inputs and outputs, the number of multiply-adds. Operators whose outputs have a shape
that depends on values, such as NonZero, or that run other graphs, such as Loop, have no rule.

ONNX operators: https://onnx.ai/onnx/operators/.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ganzoo.runtimes.onnx_file import DTYPES, Node, Value, is_integer

OPSETS = range(18, 24)  # versions of the standard whose operators have these rules
MAX_ITEMS = 10_000  # of a sequence
MAX_RANGE = 2**31  # difference of the ends of a Range
MIN_DEPTH = 16  # multiply-adds that one element of an output counts at least

Shape = tuple[int, ...]


def size(shape: Shape) -> int:
    """Return how many numbers a tensor counts: one of 1,000,000 by 0 may take as many steps."""
    return math.prod(max(n, 1) for n in shape)


class Result(NamedTuple):
    """The outputs of an operator, and its multiply-adds beyond a linear cost."""

    outputs: list[Value]
    operations: int = 0


class ShapeError(ValueError):
    """An operator whose shape cannot be computed, as the end of a sentence about it."""


Inputs = Sequence[Value | None]
Rule = Callable[[Node, Inputs], Result]

RULES: dict[str, Rule] = {}


def _rule(*names: str) -> Callable[[Rule], Rule]:
    def register(rule: Rule) -> Rule:
        RULES.update(dict.fromkeys(names, rule))
        return rule

    return register


def _get(inputs: Inputs, k: int) -> Value:
    value = inputs[k] if k < len(inputs) else None
    if value is None:
        raise ShapeError("lacks an input")
    return value


def _has(inputs: Inputs, k: int) -> bool:
    return k < len(inputs) and inputs[k] is not None


def _numbers(inputs: Inputs, k: int) -> list[Any]:
    """Return an input's numbers, which a shape depends on."""
    value = _get(inputs, k)
    if value.numbers is None:
        raise ShapeError("has a shape that depends on computed values")
    numbers: list[Any] = value.numbers.reshape(-1).tolist()
    return numbers


def _axis(axis: int, ndim: int) -> int:
    if not -ndim <= axis < ndim:
        raise ShapeError(f"has no axis {axis}")
    return axis % ndim if ndim else 0


def _axes(axes: Sequence[int], ndim: int) -> list[int]:
    return [_axis(axis, ndim) for axis in axes]


def _flag(node: Node, name: str, default: int = 0) -> bool:
    """Return an attribute that is 0 or 1: onnxruntime takes some other numbers for 0."""
    value = node.attributes.get(name, default)
    if value not in (0, 1):
        raise ShapeError(f"has {name} {value}")
    return bool(value)


def _groups(node: Node, name: str, default: int) -> int:
    """Return a number of groups; onnxruntime stops the process if it divides by zero groups."""
    groups = int(node.attributes.get(name, default))
    if groups < 1:
        raise ShapeError(f"has {groups} groups")
    return groups


def broadcast(*shapes: Shape) -> Shape:
    """Return the shape of an elementwise operator's output."""
    result = []
    for sizes in itertools.zip_longest(*(reversed(shape) for shape in shapes), fillvalue=1):
        different = set(sizes) - {1}
        if len(different) > 1:
            raise ShapeError(f"does not broadcast {shapes}")
        result.append(different.pop() if different else 1)
    return tuple(reversed(result))


_INTEGERS = {"Shape", "Size", "ArgMax", "ArgMin", "QuantizeLinear", "MatMulInteger", "ConvInteger"}
_NO_INTEGERS = {"Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "DequantizeLinear"}
_TYPED_BY = {"CastLike": 1, "Where": 1, "OneHot": 2}  # the input that has the type of the output


def returns_integers(node: Node, inputs: Inputs) -> bool:
    """Whether an operator's first output has integers; by default it has its first input's type."""
    match node.op:
        case "Cast":
            return is_integer(node.attributes["to"])
        case "Constant" if "value" not in node.attributes:
            return any(name.startswith("value_int") for name in node.attributes)
        case "Constant" | "ConstantOfShape":
            value = node.attributes.get("value")
            return value is not None and value.is_integer
    if node.op in _INTEGERS or node.op in _NO_INTEGERS:
        return node.op in _INTEGERS
    return _get(inputs, _TYPED_BY.get(node.op, 0)).is_integer


# Elementwise.


@_rule(
    *("Abs", "Neg", "Sign", "Floor", "Ceil", "Round", "Reciprocal", "Sqrt", "Exp", "Log", "Erf"),
    *("Sin", "Cos", "Tan", "Asin", "Acos", "Atan", "Sinh", "Cosh", "Tanh", "Asinh", "Acosh"),
    *("Atanh", "Sigmoid", "Relu", "LeakyRelu", "Elu", "Selu", "Celu", "ThresholdedRelu", "Gelu"),
    *("HardSigmoid", "HardSwish", "Mish", "Softplus", "Softsign", "Shrink", "Not", "BitwiseNot"),
    *("IsNaN", "IsInf", "Identity", "Cast", "CastLike", "Clip", "Trilu", "CumSum"),
    *("Softmax", "LogSoftmax", "Hardmax", "LpNormalization", "MeanVarianceNormalization"),
    *("BatchNormalization", "InstanceNormalization", "GroupNormalization", "RMSNormalization"),
    *("LayerNormalization", "QuantizeLinear", "DequantizeLinear"),
    *("ScatterElements", "ScatterND", "RandomNormalLike", "RandomUniformLike"),
)
def _like_first(node: Node, inputs: Inputs) -> Result:
    if node.op == "Cast" and node.attributes.get("to") not in DTYPES:
        raise ShapeError("casts to a type that is not numeric")
    if node.op == "GroupNormalization":
        _groups(node, "num_groups", 0)
    return _one(_get(inputs, 0).shape)


@_rule(
    *("Add", "Sub", "Mul", "Div", "Pow", "Mod", "PRelu", "Max", "Min", "Sum", "Mean", "Where"),
    *("And", "Or", "Xor", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "BitShift"),
    *("Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"),
)
def _elementwise(node: Node, inputs: Inputs) -> Result:
    shape = broadcast(*(_get(inputs, k).shape for k in range(len(inputs))))
    # Of many inputs, onnxruntime combines one after the other with the whole output.
    steps = len(inputs) - 1 if node.op in ("Sum", "Mean", "Max", "Min") else 0
    return _one(shape, 3 * MIN_DEPTH * steps * size(shape))


def _one(shape: Sequence[int], operations: int = 0) -> Result:
    return Result([Value(tuple(shape))], operations)


# Products.


@_rule("MatMul", "MatMulInteger")
def _matmul(_node: Node, inputs: Inputs) -> Result:
    left, right = _get(inputs, 0).shape, _get(inputs, 1).shape
    a = left if len(left) > 1 else (1, *left)
    b = right if len(right) > 1 else (*right, 1)
    batch = broadcast(a[:-2], b[:-2])
    operations = math.prod(batch) * a[-2] * b[-1] * max(a[-1], MIN_DEPTH)
    rows = (a[-2],) if len(left) > 1 else ()
    columns = (b[-1],) if len(right) > 1 else ()
    return _one((*batch, *rows, *columns), operations)


@_rule("Gemm")
def _gemm(node: Node, inputs: Inputs) -> Result:
    (a, b), (c, d) = _get(inputs, 0).shape, _get(inputs, 1).shape
    rows, depth = (b, a) if _flag(node, "transA") else (a, b)
    columns = c if _flag(node, "transB") else d
    return _one((rows, columns), rows * columns * max(depth, MIN_DEPTH))


@_rule("Einsum")
def _einsum(node: Node, inputs: Inputs) -> Result:
    equation = node.attributes.get("equation", "").replace(" ", "")
    terms, arrow, output = equation.partition("->")
    sizes: dict[str, int] = {}
    for k, term in enumerate(terms.split(",")):
        shape = _get(inputs, k).shape
        if len(term) != len(shape) or not term.isalpha():
            raise ShapeError(f"has the equation {equation[:80]!r}")
        for label, n in zip(term, shape, strict=True):
            sizes[label] = max(n, sizes.get(label, 0))
    if not arrow or not set(output) <= sizes.keys():
        raise ShapeError(f"has the equation {equation[:80]!r}")
    shape = tuple(sizes[label] for label in output)
    # onnxruntime multiplies two operands after the other; each product is within all labels.
    return _one(shape, len(inputs) * MIN_DEPTH * size(tuple(sizes.values())))


@_rule("Conv", "ConvInteger")
def _conv(node: Node, inputs: Inputs) -> Result:
    image, weight = _get(inputs, 0).shape, _get(inputs, 1).shape
    kernel = tuple(node.attributes.get("kernel_shape", weight[2:]))
    if kernel != weight[2:] or len(image) != len(weight) or len(image) < 3:
        raise ShapeError("has a kernel that does not fit its weights")
    _groups(node, "group", 1)
    shape = (image[0], weight[0], *_window(node, image[2:], kernel))
    depth = math.prod(kernel) * max(weight[1], MIN_DEPTH)
    return _one(shape, math.prod(shape) * depth)


@_rule("ConvTranspose")
def _conv_transpose(node: Node, inputs: Inputs) -> Result:
    image, weight = _get(inputs, 0).shape, _get(inputs, 1).shape
    attributes, space = node.attributes, image[2:]
    kernel, ndim = weight[2:], len(space)
    if tuple(attributes.get("kernel_shape", kernel)) != kernel or len(image) != len(weight):
        raise ShapeError("has a kernel that does not fit its weights")
    if "output_shape" in attributes:
        raise ShapeError("declares its own output shape")
    strides = attributes.get("strides") or [1] * ndim
    dilations = attributes.get("dilations") or [1] * ndim
    extra = attributes.get("output_padding") or [0] * ndim
    pads = _pads(node, ndim)
    if min(strides) < 1 or min(dilations) < 1 or min(pads) < 0:
        raise ShapeError("has a stride or padding out of range")
    sizes = [
        s * (n - 1) + e + (k - 1) * d + 1 - before - after
        for n, s, e, k, d, before, after in zip(
            space, strides, extra, kernel, dilations, pads[:ndim], pads[ndim:], strict=True
        )
    ]
    channels = weight[1] * _groups(node, "group", 1)
    operations = math.prod(image) * math.prod(kernel) * max(weight[1], MIN_DEPTH)
    return _one((image[0], channels, *sizes), operations)


@_rule("MaxPool", "AveragePool", "LpPool")
def _pool(node: Node, inputs: Inputs) -> Result:
    image, kernel = _get(inputs, 0).shape, tuple(node.attributes["kernel_shape"])
    shape = (*image[:2], *_window(node, image[2:], kernel))
    operations = MIN_DEPTH * math.prod(shape) * math.prod(kernel)
    indices = Value(shape, is_integer=True)
    return Result([Value(shape), indices][: len(node.outputs)], operations)


def _pads(node: Node, ndim: int) -> list[int]:
    if node.attributes.get("auto_pad", "NOTSET") != "NOTSET":
        raise ShapeError("pads automatically")
    return list(node.attributes.get("pads") or [0] * 2 * ndim)


def _window(node: Node, space: Shape, kernel: Shape) -> list[int]:
    """Return the spatial shape of a convolution's or a pool's output."""
    ndim, attributes = len(space), node.attributes
    strides = attributes.get("strides") or [1] * ndim
    dilations = attributes.get("dilations") or [1] * ndim
    pads = _pads(node, ndim)
    if min(strides) < 1 or min(dilations) < 1 or min(kernel) < 1 or min(pads) < 0:
        raise ShapeError("has a stride, kernel or padding out of range")
    sizes = []
    for n, s, k, d, before, after in zip(
        space, strides, kernel, dilations, pads[:ndim], pads[ndim:], strict=True
    ):
        room = n + before + after - d * (k - 1) - 1
        if room < 0:
            raise ShapeError("has a kernel larger than its input")
        windows = room // s + 1
        if _flag(node, "ceil_mode"):
            windows = -(-room // s) + 1
            windows -= (windows - 1) * s >= n + before  # a window starts within the image
        sizes.append(windows)
    return sizes


@_rule("GlobalAveragePool", "GlobalMaxPool")
def _global_pool(_node: Node, inputs: Inputs) -> Result:
    shape = _get(inputs, 0).shape
    return _one((*shape[:2], *(1 for _ in shape[2:])))


# Reductions.


@_rule(
    *("ReduceSum", "ReduceMean", "ReduceProd", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2"),
    *("ReduceSumSquare", "ReduceLogSum", "ReduceLogSumExp"),
)
def _reduce(node: Node, inputs: Inputs) -> Result:
    shape = _get(inputs, 0).shape
    axes = _axes(_numbers(inputs, 1), len(shape)) if _has(inputs, 1) else []
    if not axes:
        if _flag(node, "noop_with_empty_axes"):
            return _one(shape)
        axes = list(range(len(shape)))
    return _one(_without(shape, axes, keep=_flag(node, "keepdims", 1)))


def _without(shape: Shape, axes: Sequence[int], *, keep: bool) -> list[int]:
    if keep:
        return [1 if k in axes else n for k, n in enumerate(shape)]
    return [n for k, n in enumerate(shape) if k not in axes]


@_rule("ArgMax", "ArgMin")
def _arg(node: Node, inputs: Inputs) -> Result:
    shape = _get(inputs, 0).shape
    axis = _axis(node.attributes.get("axis", 0), len(shape))
    return _one(_without(shape, [axis], keep=_flag(node, "keepdims", 1)))


@_rule("TopK")
def _top(node: Node, inputs: Inputs) -> Result:
    shape, (k,) = list(_get(inputs, 0).shape), _numbers(inputs, 1)
    numbers = size(tuple(shape))
    shape[_axis(node.attributes.get("axis", -1), len(shape))] = k
    indices = Value(tuple(shape), is_integer=True)
    return Result([Value(tuple(shape)), indices], MIN_DEPTH * numbers * numbers.bit_length())


# Shapes and indices.


@_rule("Constant")
def _constant(node: Node, _inputs: Inputs) -> Result:
    if len(node.attributes) != 1:
        raise ShapeError("has no single value")
    ((name, value),) = node.attributes.items()
    match name:
        case "value":
            return Result([value])
        case "value_int" | "value_ints":
            numbers = np.array(value, np.int64)
        case "value_float" | "value_floats":
            numbers = np.array(value, np.float32)
        case _:
            raise ShapeError("has a value that is no tensor of numbers")
    return Result([Value(numbers.shape, numbers)])


@_rule("ConstantOfShape")
def _constant_of_shape(_node: Node, inputs: Inputs) -> Result:
    return _one(_numbers(inputs, 0))


@_rule("Shape")
def _shape(node: Node, inputs: Inputs) -> Result:
    shape = _get(inputs, 0).shape
    numbers = np.array(
        shape[node.attributes.get("start", 0) : node.attributes.get("end", len(shape))], np.int64
    )
    return Result([Value(numbers.shape, numbers)])


@_rule("Size")
def _size(_node: Node, inputs: Inputs) -> Result:
    return Result([Value((), np.array(math.prod(_get(inputs, 0).shape), np.int64))])


@_rule("Range")
def _range(_node: Node, inputs: Inputs) -> Result:
    (start,), (limit,), (delta,) = (_numbers(inputs, k) for k in range(3))
    if abs(limit - start) >= MAX_RANGE:  # the difference may overflow
        raise ShapeError("has a range that is too long")
    return _one((max(0, math.ceil((limit - start) / delta)),))


@_rule("Reshape")
def _reshape(node: Node, inputs: Inputs) -> Result:
    shape, sizes = _get(inputs, 0).shape, list(_numbers(inputs, 1))
    if not _flag(node, "allowzero"):
        sizes = [shape[k] if n == 0 else n for k, n in enumerate(sizes)]
    if -1 in sizes:
        rest = math.prod(n for n in sizes if n != -1)
        sizes[sizes.index(-1)] = math.prod(shape) // rest
    if min(sizes, default=0) < 0 or math.prod(sizes) != math.prod(shape):
        raise ShapeError(f"does not bring {shape} to {tuple(sizes)}")
    return _one(sizes)


@_rule("Flatten")
def _flatten(node: Node, inputs: Inputs) -> Result:
    shape = _get(inputs, 0).shape
    axis = node.attributes.get("axis", 1)
    axis = axis + len(shape) if axis < 0 else axis
    return _one((math.prod(shape[:axis]), math.prod(shape[axis:])))


@_rule("Transpose")
def _transpose(node: Node, inputs: Inputs) -> Result:
    shape = _get(inputs, 0).shape
    order = node.attributes.get("perm") or list(reversed(range(len(shape))))
    if sorted(order) != list(range(len(shape))):
        raise ShapeError("does not permute its axes")
    return _one([shape[k] for k in order])


@_rule("Squeeze")
def _squeeze(_node: Node, inputs: Inputs) -> Result:
    shape = _get(inputs, 0).shape
    ones = [k for k, n in enumerate(shape) if n == 1]
    axes = _axes(_numbers(inputs, 1), len(shape)) if _has(inputs, 1) else []
    axes = axes or ones
    if not set(axes) <= set(ones):
        raise ShapeError("squeezes an axis that is not one")
    return _one(_without(shape, axes, keep=False))


@_rule("Unsqueeze")
def _unsqueeze(_node: Node, inputs: Inputs) -> Result:
    shape, axes = _get(inputs, 0).shape, _numbers(inputs, 1)
    axes = _axes(axes, len(shape) + len(axes))
    rest = iter(shape)
    return _one([1 if k in axes else next(rest) for k in range(len(shape) + len(set(axes)))])


@_rule("Expand")
def _expand(_node: Node, inputs: Inputs) -> Result:
    return _one(broadcast(_get(inputs, 0).shape, tuple(_numbers(inputs, 1))))


@_rule("Tile")
def _tile(_node: Node, inputs: Inputs) -> Result:
    shape, times = _get(inputs, 0).shape, _numbers(inputs, 1)
    return _one([n * k for n, k in zip(shape, times, strict=True)])


@_rule("Concat")
def _concat(node: Node, inputs: Inputs) -> Result:
    shapes = [_get(inputs, k).shape for k in range(len(inputs))]
    axis = _axis(node.attributes["axis"], len(shapes[0]))
    return _one([sum(s[k] for s in shapes) if k == axis else n for k, n in enumerate(shapes[0])])


@_rule("Split")
def _split(node: Node, inputs: Inputs) -> Result:
    shape = _get(inputs, 0).shape
    axis, parts = _axis(node.attributes.get("axis", 0), len(shape)), len(node.outputs)
    if node.attributes.get("num_outputs", parts) != parts:  # onnxruntime stops the process
        raise ShapeError("does not split into its outputs")
    if _has(inputs, 1):
        sizes = _numbers(inputs, 1)
    else:
        each = -(-shape[axis] // parts)
        sizes = [max(0, min(each, shape[axis] - k * each)) for k in range(parts)]
    if len(sizes) != parts:
        raise ShapeError("does not split into its outputs")
    return Result([Value((*shape[:axis], n, *shape[axis + 1 :])) for n in sizes])


@_rule("SplitToSequence")
def _split_to_sequence(node: Node, inputs: Inputs) -> Result:
    shape = _get(inputs, 0).shape
    axis = _axis(node.attributes.get("axis", 0), len(shape))
    length = shape[axis]
    if length > MAX_ITEMS and not _has(inputs, 1):
        raise ShapeError(f"has {length:,} parts")
    if not _has(inputs, 1):
        sizes = [1] * length
    elif _get(inputs, 1).shape:
        sizes = _numbers(inputs, 1)
    else:
        (each,) = _numbers(inputs, 1)
        if each < 1 or length > MAX_ITEMS * each:
            raise ShapeError("has too many parts")
        sizes = [min(each, length - start) for start in range(0, length, each)]
    keep = _has(inputs, 1) or _flag(node, "keepdims", 1)
    middles = [(n,) if keep else () for n in sizes]
    return _sequence([Value((*shape[:axis], *n, *shape[axis + 1 :])) for n in middles])


def _sequence(items: list[Value]) -> Result:
    return Result([Value((sum(math.prod(v.shape) for v in items),), items=tuple(items))])


@_rule("SequenceConstruct")
def _sequence_construct(_node: Node, inputs: Inputs) -> Result:
    return _sequence([_get(inputs, k) for k in range(len(inputs))])


@_rule("SequenceAt")
def _sequence_at(_node: Node, inputs: Inputs) -> Result:
    (position,) = _numbers(inputs, 1)
    return Result([_get(inputs, 0).items[position]])


@_rule("ConcatFromSequence")
def _concat_from_sequence(node: Node, inputs: Inputs) -> Result:
    items = _get(inputs, 0).items
    if _flag(node, "new_axis"):
        shape = list(items[0].shape)
        shape.insert(_axis(node.attributes["axis"], len(shape) + 1), len(items))
        return _one(shape)
    return _concat(node, items)


@_rule("Slice")
def _slice(_node: Node, inputs: Inputs) -> Result:
    shape = _get(inputs, 0).shape
    return _one([len(range(n)[cut]) for n, cut in zip(shape, slices(inputs), strict=True)])


def slices(inputs: Inputs) -> list[slice]:
    """Return the slices of all axes that a Slice operator takes."""
    shape = _get(inputs, 0).shape
    ndim = len(shape)
    starts, ends = _numbers(inputs, 1), _numbers(inputs, 2)
    axes = _axes(_numbers(inputs, 3), ndim) if _has(inputs, 3) else list(range(len(starts)))
    steps = _numbers(inputs, 4) if _has(inputs, 4) else [1] * len(starts)
    cuts = [slice(None)] * ndim
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        if step < 0 and end > shape[axis]:  # onnxruntime then cuts to the beginning
            raise ShapeError("steps backwards to an end behind its start")
        # ONNX clamps a start before the axis to its first element, Python to none.
        cuts[axis] = slice(0 if step < 0 and start < -shape[axis] else start, end, step)
    return cuts


@_rule("Pad")
def _pad(_node: Node, inputs: Inputs) -> Result:
    sizes, pads = list(_get(inputs, 0).shape), _numbers(inputs, 1)
    axes = _axes(_numbers(inputs, 3), len(sizes)) if _has(inputs, 3) else list(range(len(sizes)))
    for k, axis in enumerate(axes):
        sizes[axis] += pads[k] + pads[k + len(axes)]
    return _one(sizes)


@_rule("Gather")
def _gather(node: Node, inputs: Inputs) -> Result:
    shape, indices = _get(inputs, 0).shape, _get(inputs, 1).shape
    axis = _axis(node.attributes.get("axis", 0), len(shape))
    return _one((*shape[:axis], *indices, *shape[axis + 1 :]))


@_rule("GatherElements")
def _gather_elements(_node: Node, inputs: Inputs) -> Result:
    return _one(_get(inputs, 1).shape)


@_rule("GatherND")
def _gather_nd(node: Node, inputs: Inputs) -> Result:
    shape, indices = _get(inputs, 0).shape, _get(inputs, 1).shape
    return _one((*indices[:-1], *shape[node.attributes.get("batch_dims", 0) + indices[-1] :]))


@_rule("OneHot")
def _one_hot(node: Node, inputs: Inputs) -> Result:
    shape, (depth,) = list(_get(inputs, 0).shape), _numbers(inputs, 1)
    shape.insert(_axis(node.attributes.get("axis", -1), len(shape) + 1), int(depth))
    return _one(shape)


# Images.


@_rule("DepthToSpace")
def _depth_to_space(node: Node, inputs: Inputs) -> Result:
    n, channels, height, width = _get(inputs, 0).shape
    b = node.attributes["blocksize"]
    return _one((n, channels // b**2, height * b, width * b))


@_rule("SpaceToDepth")
def _space_to_depth(node: Node, inputs: Inputs) -> Result:
    n, channels, height, width = _get(inputs, 0).shape
    b = node.attributes["blocksize"]
    return _one((n, channels * b**2, height // b, width // b))


@_rule("Resize")
def _resize(node: Node, inputs: Inputs) -> Result:
    shape, attributes = _get(inputs, 0).shape, node.attributes
    axes = _axes(attributes.get("axes") or range(len(shape)), len(shape))
    by_scale = _has(inputs, 2) and _get(inputs, 2).shape != (0,)
    numbers = _numbers(inputs, 2 if by_scale else 3)
    if attributes.get("keep_aspect_ratio_policy", "stretch") != "stretch":
        raise ShapeError("keeps an aspect ratio")
    sizes = list(shape)
    for axis, number in zip(axes, numbers, strict=True):
        if by_scale:  # onnxruntime multiplies in float32
            number = math.floor(np.float32(sizes[axis]) * np.float32(number))
        sizes[axis] = number
    return _one(sizes, MIN_DEPTH**2 * (size(shape) + size(tuple(sizes))))


@_rule("GridSample")
def _grid_sample(_node: Node, inputs: Inputs) -> Result:
    image, grid = _get(inputs, 0).shape, _get(inputs, 1).shape
    shape = (*image[:2], *grid[1:-1])
    return _one(shape, MIN_DEPTH * 4 ** (len(grid) - 2) * math.prod(shape))


@_rule("AffineGrid")
def _affine_grid(_node: Node, inputs: Inputs) -> Result:
    n, _, *space = _numbers(inputs, 1)
    return _one((n, *space, len(space)))
