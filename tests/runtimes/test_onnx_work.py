"""The work of a graph is bounded before it runs, by the shapes that onnxruntime computes."""

import math
import re
from string import ascii_letters

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

import ganzoo
from ganzoo.errors import BundleError
from ganzoo.exporters import onnx_graph
from ganzoo.registry import architectures
from ganzoo.runtimes import onnx_file
from ganzoo.runtimes.onnx_file import read_onnx
from ganzoo.runtimes.onnx_shapes import OPSETS, RULES, ShapeError, Value
from ganzoo.runtimes.onnx_work import MAX_NODES, Work, _infer, limits
from ganzoo.runtimes.protobuf import WireError
from ganzoo.runtimes.signature import signature
from ganzoo.runtimes.torch import TorchModel
from ganzoo.spec import DataSpec, ImageSpec, LatentSpec, ModelSpec
from ganzoo.zoo import find
from helpers.bundles import rehash

QUIET = onnxruntime.SessionOptions()
QUIET.log_severity_level = 4
QUIET.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
TYPES = {"float32": TensorProto.FLOAT, "int64": TensorProto.INT64, "bool": TensorProto.BOOL}


def spec_of(size=28, dim=8, condition=False):
    image = ImageSpec(channels=1, height=size, width=size)
    return ModelSpec(
        name="x",
        architecture="x",
        arguments={},
        requires=(),
        data=DataSpec(image=image, condition=image) if condition else DataSpec(image=image),
        latent=None if condition else LatentSpec(dim=dim),
        inputs=("condition",) if condition else ("z",),
    )


def graph_of(nodes, tensors=(), opset=20):
    """A graph from latents to images, as bytes."""
    z = helper.make_tensor_value_info("z", TensorProto.FLOAT, ["batch", 8])
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 1, 28, 28])
    initializers = [numpy_helper.from_array(np.asarray(v), k) for k, v in dict(tensors).items()]
    graph = helper.make_graph(list(nodes), "g", [z], [images], initializers)
    opsets = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10).SerializeToString()


def refusal(content, n=1, spec=None):
    spec = spec or spec_of()
    work = Work(onnx_file._check(content), "model.onnx", spec, "generator")
    with pytest.raises(BundleError) as error:
        work.check(n)
    return str(error.value)


def node(op, inputs, outputs, **attributes):
    return helper.make_node(op, inputs.split(), outputs.split(), **attributes)


# Shapes are those of onnxruntime.


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("dcgan-mnist", "generator"),
        ("cgan-mnist", "generator"),
        ("vae-mnist", "encoder"),
        ("r3gan-tinyhero", "generator"),
        ("stylegan2-mnist", "generator"),
        ("pix2pix-openmoji", "generator"),
    ],
)
def test_every_shape_of_a_shipped_model_is_that_of_onnxruntime(name, role):
    bundle = find(name)
    file = bundle.onnx_of(role)
    work = Work(read_onnx(file), file, bundle.spec, role)
    model = onnx.load(file)
    names = [name for each in model.graph.node for name in each.output if name]
    known = {output.name for output in model.graph.output}
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names if name not in known)
    session = onnxruntime.InferenceSession(model.SerializeToString(), QUIET)
    for n in (1, 3):
        inputs = {
            key: np.zeros((n, *shape), np.int64 if key == "y" else np.float32)
            for key, shape in signature(bundle.spec, role)[0].items()
        }
        results = session.run(names, inputs)
        values = [value for result, _ in work._walk(n) for value in result.outputs]
        assert [value.shape for value in values] == [result.shape for result in results]
        for value, result in zip(values, results, strict=True):
            assert value.is_integer == (result.dtype.kind == "i")
            assert value.numbers is None or np.array_equal(value.numbers, result)


def compare(op, arrays, outputs=1, constants=(), **attributes):
    """Compare an operator's output shapes, and its numbers if known, with onnxruntime's."""
    names = [f"x{k}" if array is not None else "" for k, array in enumerate(arrays)]
    results = [f"r{k}" for k in range(outputs)]
    proto = helper.make_node(op, names, results, **attributes)
    by_name = {n: a for n, a in zip(names, arrays, strict=True) if n}
    inputs = [
        helper.make_tensor_value_info(n, TYPES[str(a.dtype)], a.shape) for n, a in by_name.items()
    ]
    graph = helper.make_graph([proto], "g", inputs, [onnx.ValueInfoProto(name=r) for r in results])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    content = model.SerializeToString()
    (parsed,) = onnx_file._check(content).nodes
    values = {n: Value(a.shape, a, is_integer=a.dtype.kind == "i") for n, a in by_name.items()}
    try:
        result = _infer(parsed, values)
    except ShapeError:
        return None
    try:
        session = onnxruntime.InferenceSession(content, QUIET)
        expected = session.run(None, by_name)
    except Exception:  # noqa: BLE001
        return None  # onnxruntime refuses the operator
    assert [value.shape for value in result.outputs[:outputs]] == [e.shape for e in expected]
    for value, e in zip(result.outputs, expected, strict=False):
        assert value.is_integer == (e.dtype.kind in "iu")
        assert value.numbers is None or np.array_equal(value.numbers, e)
    return result


def floats(*shape):
    return np.zeros(shape, np.float32)


def integers(*values):
    return np.array(values, np.int64)


small = st.integers(1, 4)
pads = st.lists(st.integers(0, 2), min_size=4, max_size=4)
pairs = st.lists(st.integers(1, 3), min_size=2, max_size=2)


@settings(max_examples=60, deadline=None)
@given(
    small,
    small,
    small,
    pairs,
    pads,
    pairs,
    pairs,
    st.lists(st.integers(0, 1), min_size=2, max_size=2),
)
def test_convolutions(n, channels, groups, kernel, pad, strides, dilations, extra):
    options = {"pads": pad, "strides": strides, "dilations": dilations, "group": groups}
    image = floats(n, channels * groups, 7, 6)
    compare("Conv", [image, floats(2 * groups, channels, *kernel)], **options)
    weights = floats(channels * groups, 2, *kernel)
    compare("ConvTranspose", [image, weights], output_padding=extra, **options)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["MaxPool", "AveragePool"]), pairs, pads, pairs, pairs, st.integers(0, 1))
def test_pools(op, kernel, pad, strides, dilations, ceil):
    options = {"pads": pad, "strides": strides, "dilations": dilations, "ceil_mode": ceil}
    compare(op, [floats(2, 3, 7, 6)], kernel_shape=kernel, **options)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_slices(data):
    bound = st.integers(-9, 9) | st.sampled_from([2**63 - 1, -(2**63), 2**31])
    axes = data.draw(st.lists(st.sampled_from([0, 1, -1]), min_size=1, max_size=2, unique=True))
    draw = [
        integers(*data.draw(st.lists(bound, min_size=len(axes), max_size=len(axes))))
        for _ in range(2)
    ]
    steps = integers(
        *data.draw(
            st.lists(st.sampled_from([1, 2, -1, -3]), min_size=len(axes), max_size=len(axes))
        )
    )
    compare("Slice", [np.arange(30).reshape(5, 6), *draw, integers(*axes), steps])


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["Add", "Sub", "Mul", "Div", "Mod", "Max", "Min", "Equal", "Less", "Greater"]),
    st.lists(st.integers(-20, 20) | st.integers(-(2**62), 2**62), min_size=3, max_size=3),
    st.lists(st.integers(-5, 5).filter(bool) | st.integers(1, 2**62), min_size=3, max_size=3),
)
def test_integers_are_those_of_onnxruntime(op, a, b):
    result = compare(op, [integers(*a), integers(*b)])
    fits = all(-(2**31) <= number < 2**31 for number in a + b)
    assert (result is not None and result.outputs[0].numbers is not None) == fits
    compare(op, [integers(*a), np.array(b[0])])


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_other_operators(data):
    axis = data.draw(st.integers(-3, 2))
    keep = data.draw(st.integers(0, 1))
    x = np.arange(24, dtype=np.int64).reshape(2, 3, 4)
    f = floats(2, 3, 4)
    match data.draw(st.integers(0, 17)):
        case 0:
            compare("ReduceSum", [f, integers(axis)], keepdims=keep)
        case 1:
            compare("ReduceProd", [x], keepdims=keep)
        case 2:
            compare("Gather", [x, integers(*data.draw(st.lists(st.integers(-2, 1))))], axis=axis)
        case 3:
            compare("Concat", [x, x], axis=axis)
        case 4:
            compare("Split", [f, None], outputs=2, axis=axis, num_outputs=2)
        case 5:
            compare("Unsqueeze", [x, integers(axis)])
        case 6:
            sizes = data.draw(st.lists(st.sampled_from([-1, 0, 1, 2, 3, 4, 6, 8, 12, 24])))
            compare("Reshape", [x, integers(*sizes)], allowzero=keep)
        case 7:
            compare("Flatten", [f], axis=axis)
        case 8:
            compare("Transpose", [x], perm=data.draw(st.permutations([0, 1, 2])))
        case 9:
            compare("Expand", [x[:1], integers(*data.draw(st.lists(small, max_size=4)))])
        case 10:
            compare("Tile", [f, integers(*data.draw(st.lists(small, min_size=3, max_size=3)))])
        case 11:
            amounts = data.draw(st.lists(st.integers(-1, 3), min_size=6, max_size=6))
            compare("Pad", [f, integers(*amounts)])
        case 12:
            bounds = data.draw(st.lists(st.integers(-9, 9), min_size=3, max_size=3))
            compare("Range", [np.array(b) for b in bounds])
        case 13:
            scales = data.draw(st.lists(st.floats(0.25, 3, width=32), min_size=4, max_size=4))
            compare("Resize", [floats(1, 1, 5, 7), None, np.array(scales, np.float32)])
        case 14:
            sizes = data.draw(st.lists(small, min_size=4, max_size=4))
            compare("Resize", [floats(1, 1, 5, 7), None, None, integers(*sizes)])
        case 15:
            compare("ArgMax", [f], axis=axis, keepdims=keep)
        case 16:
            start, end = (data.draw(st.integers(-4, 4)) for _ in range(2))
            compare("Shape", [f], start=start, end=end)
        case 17:
            compare("Squeeze", [floats(1, 3, 1), integers(axis)])


def test_sequences():
    """torch exports `chunk` and `unbind` as sequences where it does not optimise."""
    nodes = [
        node("SplitToSequence", "z two", "parts", axis=1),
        node("SequenceAt", "parts last", "part"),
        node("SplitToSequence", "z sizes", "others", axis=1),
        node("SequenceAt", "others first", "other"),
        node("SplitToSequence", "z", "units", axis=1, keepdims=0),
        node("SequenceAt", "units first", "unit"),
        node("SequenceConstruct", "part other", "both"),
        node("ConcatFromSequence", "both", "joined", axis=1),
        node("ConcatFromSequence", "units", "stacked", axis=-1, new_axis=1),
    ]
    tensors = {"two": np.array(3), "last": np.array(-1), "first": np.array(0)}
    content = graph_of(nodes, tensors | {"sizes": integers(5, 3)})
    model = onnx.ModelProto.FromString(content)
    names = ["part", "other", "unit", "joined", "stacked"]
    del model.graph.output[:]
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    session = onnxruntime.InferenceSession(model.SerializeToString(), QUIET)
    expected = [result.shape for result in session.run(None, {"z": floats(3, 8)})]
    work = Work(onnx_file._check(content), "model.onnx", spec_of(), "generator")
    shapes = [value.shape for result, _ in work._walk(3) for value in result.outputs]
    assert [shapes[k] for k in (1, 3, 5, 7, 8)] == expected
    many = [node("SplitToSequence", "large one", "parts"), node("Relu", "z", "images")]
    text = refusal(graph_of(many, {"large": floats(20_000), "one": np.array(1)}))
    assert "its SplitToSequence has too many parts" in text


@pytest.mark.parametrize(
    ("op", "arrays", "attributes"),
    [
        ("MatMul", [floats(4), floats(4)], {}),
        ("MatMul", [floats(2, 3, 4), floats(4)], {}),
        ("MatMul", [floats(5, 1, 3, 4), floats(2, 4, 6)], {}),
        ("Gemm", [floats(3, 4), floats(5, 3)], {"transA": 1, "transB": 1}),
        ("Einsum", [floats(2, 3, 4), floats(4, 5)], {"equation": "bij, jk -> bik"}),
        ("DepthToSpace", [floats(2, 8, 3, 4)], {"blocksize": 2}),
        ("SpaceToDepth", [floats(2, 2, 4, 6)], {"blocksize": 2}),
        ("GlobalAveragePool", [floats(2, 3, 4, 5)], {}),
        ("GridSample", [floats(2, 3, 4, 5), floats(2, 6, 7, 2)], {}),
        ("AffineGrid", [floats(2, 2, 3), integers(2, 3, 4, 5)], {}),
        ("TopK", [floats(2, 5), integers(3)], {"outputs": 2}),
        ("OneHot", [integers(1, 2), np.array(4), floats(2)], {}),
        ("GatherND", [floats(2, 3, 4), np.array([[0, 1]])], {}),
        ("GatherElements", [floats(2, 3), np.array([[0, 1]])], {}),
        ("ConstantOfShape", [integers(2, 3)], {}),
        ("Size", [floats(2, 3)], {}),
        ("Where", [np.array([[True], [False]]), floats(3), floats(2, 1)], {}),
        ("LayerNormalization", [floats(2, 3), floats(3)], {}),
        ("InstanceNormalization", [floats(2, 3, 4, 4), floats(3), floats(3)], {}),
        ("Softmax", [floats(2, 3)], {}),
        ("Clip", [floats(2, 3)], {}),
        ("PRelu", [floats(2, 3), floats(3)], {}),
    ],
)
def test_operators_with_rules(op, arrays, attributes):
    assert compare(op, arrays, **attributes) is not None


def test_operators_are_the_same_in_all_versions():
    """A rule reads an operator's inputs and attributes as every version in `OPSETS` defines them."""
    first, last = OPSETS.start, OPSETS.stop - 1
    for op in RULES:
        if not onnx.defs.has(op):
            continue
        schemas = []
        for version in (first, last):
            try:
                schemas.append(onnx.defs.get_schema(op, version))
            except onnx.defs.SchemaError:  # a newer operator
                continue
        inputs = {tuple(i.name for i in schema.inputs) for schema in schemas}
        assert len(inputs) <= 1, (op, inputs)


def test_the_peak_counts_what_is_read_later():
    """Each value has 1,568 numbers for two images, and the unread second half is freed at once."""
    nodes = [
        node("Split", "condition", "left unread", axis=3, num_outputs=2),
        node("Concat", "left left", "a", axis=3),
        node("Neg", "a", "images"),
        node("Neg", "a", "b"),
        node("Neg", "b", "c"),
    ]
    graph = onnx_file._check(graph_of(nodes))
    work = Work(graph, "model.onnx", spec_of(condition=True), "generator")
    side, half = 28 * 28, 14 * 28
    # left and a; a and images; images, a and b; images, b and c
    assert work.peak() == max(2 * half, half + side, 2 * side, 3 * side, 3 * side)


# Bombs.


def images(*nodes, last):
    """Nodes that end in images: the mean of the last value, added to zeros."""
    return [
        *nodes,
        node("ReduceMean", last, "mean", keepdims=0),
        node("ConstantOfShape", "shape", "zeros"),
        node("Add", "zeros mean", "images"),
    ]


SHAPE = {"shape": integers(1, 1, 28, 28)}


def test_a_graph_that_computes_for_minutes():
    """Squares of a matrix of 4,096 by 4,096: each takes a second, in a file of a few kilobytes."""
    squares = [node("MatMul", f"m{k} m{k}", f"m{k + 1}") for k in range(100)]
    nodes = images(node("Expand", "one size", "m0"), *squares, last="m100")
    content = graph_of(nodes, SHAPE | {"one": floats(1), "size": integers(4096, 4096)})
    assert len(content) < 11_000
    text = refusal(content)
    assert "a batch of 1 takes at least 6.9e+10 operations" in text
    assert 'images of 28x28 and 7 weights is 3.6e+10. Use runtime="torch", or get' in text


def test_a_graph_that_fills_the_memory():
    nodes = images(node("Expand", "one size", "large"), last="large")
    content = graph_of(nodes, SHAPE | {"one": floats(1), "size": integers(40_000, 40_000)})
    assert "takes at least 1.6e+09 numbers" in refusal(content) or "operations" in refusal(content)


def test_convolutions_and_pools_with_huge_kernels():
    x = node("Expand", "one size", "x")
    conv = node("Conv", "x kernel", "y", pads=[500] * 4)
    tensors = SHAPE | {"one": floats(1), "size": integers(1, 1, 1000, 1000)}
    content = graph_of(images(x, conv, last="y"), tensors | {"kernel": floats(1, 1, 999, 999)})
    assert "operations" in refusal(content)
    pool = node("AveragePool", "x", "y", kernel_shape=[999, 999], pads=[500] * 4)
    assert "operations" in refusal(graph_of(images(x, pool, last="y"), tensors))


def test_work_that_grows_faster_than_the_batch():
    """The product of all pairs of latents: fine for one image, and 16 million times for 4,096."""
    nodes = images(
        node("Shape", "z", "n", end=1),
        node("Concat", "n width", "size", axis=0),
        node("Expand", "one size", "rows"),
        node("Transpose", "rows", "columns"),
        node("MatMul", "rows columns", "pairs"),
        last="pairs",
    )
    content = graph_of(nodes, SHAPE | {"one": floats(1), "width": integers(3 * 10**7)})
    work = Work(onnx_file._check(content), "model.onnx", spec_of(), "generator")
    work.check(1)
    work.check(16)
    with pytest.raises(BundleError, match=r"a batch of 4,096 takes at least .* operations"):
        work.check(4096)


def test_a_batch_is_checked_when_it_runs(bundle):
    """One size of batch takes far more than others."""
    spec = ModelSpec.from_json((bundle / "config.json").read_bytes())
    nodes = [
        node("Shape", "z", "n", end=1),
        node("Equal", "n three", "is_three"),
        node("Where", "is_three much little", "side"),
        node("Concat", "side side", "size", axis=0),
        node("Expand", "one size", "large"),
        node("ReduceMean", "large", "mean", keepdims=0),
        node("Concat", "n image", "shape", axis=0),
        node("ConstantOfShape", "shape", "zeros"),
        node("Add", "zeros mean", "images"),
    ]
    tensors = {
        "three": integers(3),
        "much": integers(10**5),
        "little": integers(1),
        "one": floats(1),
        "image": integers(*spec.data.image.shape),
    }
    model = onnx.ModelProto.FromString(graph_of(nodes, tensors))
    for value, shape in (
        (model.graph.input[0], [spec.latent.dim]),
        (model.graph.output[0], spec.data.image.shape),
    ):
        kind = helper.make_tensor_type_proto(TensorProto.FLOAT, ["batch", *shape])
        value.type.CopyFrom(kind)
    helper.set_model_props(model, {"ganzoo.config": (bundle / "config.json").read_text()})
    (bundle / "model.onnx").write_bytes(model.SerializeToString())
    rehash(bundle)
    loaded = ganzoo.load(bundle, runtime="onnx")
    loaded.run({"z": floats(2, spec.latent.dim)})
    with pytest.raises(BundleError, match="a batch of 3 takes at least"):
        loaded.run({"z": floats(3, spec.latent.dim)})


@pytest.mark.parametrize(
    ("nodes", "text"),
    [
        ([node("NonZero", "z", "x")], "the work of its operator 'NonZero' is not known"),
        ([node("Relu", "later", "x"), node("Relu", "z", "later")], "does not come before it"),
        ([node("Relu", "z", "z")], "it defines 'z' more than once"),
        ([node("Relu", "z", "x"), node("Relu", "z", "x")], "it defines 'x' more than once"),
        ([node("Cast", "z", "x", to=8)], "its Cast casts to a type that is not numeric"),
        ([node("Cast", "z", "i", to=7), node("Expand", "z i", "x")], "depends on computed values"),
        (
            [node("Cast", "z", "i", to=7), node("Div", "i i", "x")],
            "its Div divides integers that are not known before it runs",
        ),
        ([node("Div", "smallest minus", "x")], "its Div divides integers that are not known"),
        ([node("Mod", "smallest minus", "x")], "its Mod divides integers that are not known"),
        ([node("Relu", "", "x")], "its Relu lacks an input"),
        ([node("Add", "z two", "x")], "its Add does not broadcast"),
        ([node("Conv", "z two", "x")], "its Conv"),
        ([node("MaxPool", "z", "x")], "its MaxPool has inputs or attributes that do not fit"),
        ([node("Relu", "z", f"x{k}") for k in range(MAX_NODES + 1)], "at most 10,000 run"),
    ],
)
def test_graphs_whose_work_is_unknown(nodes, text):
    tensors = {"two": floats(2), "smallest": integers(-(2**63)), "minus": integers(-1)}
    content = graph_of(nodes, tensors)
    assert text in refusal(content)


def test_an_unknown_version_of_the_operators():
    assert "it has version 17 of the ONNX operators" in refusal(graph_of([], opset=17))


BIG = 2**15
# A vector of 32,768 numbers that onnxruntime broadcasts to 2**30, if it takes a flag otherwise.
SQUARE = [node("Unsqueeze", "r one", "column"), node("Add", "column vector", "x")]
EMPTY = node("ConstantOfShape", "empty", "a")  # no numbers, in 2**33 rows
IMAGE = node("Reshape", "z image", "a")
BOMBS = {
    "a flag that is not 1": (
        [node("ReduceSum", "wide zero", "r", keepdims=2), *SQUARE],
        "keepdims 2",
    ),
    "a flag of ArgMax": (
        [node("ArgMax", "wide", "i", axis=0, keepdims=-1), node("Cast", "i", "r", to=1), *SQUARE],
        "keepdims -1",
    ),
    "no axes": ([node("Squeeze", "flat none", "r"), *SQUARE], "numbers|operations"),
    "another flag": (
        [node("ReduceSum", "wide", "x", noop_with_empty_axes=2)],
        "noop_with_empty_axes",
    ),
    "rows without numbers": ([EMPTY, node("Concat", "a a", "x", axis=1)], "operations"),
    "products without numbers": ([EMPTY, node("MatMul", "a matrix", "x")], "operations"),
    "cost of 1,000 bits": (
        [
            node("Expand", "scalar long", "a"),
            node("Einsum", " ".join(["a"] * 52), "x", equation=f"{','.join(ascii_letters)}->"),
        ],
        r"1e\+300 operations",
    ),
    "many inputs": (
        [
            node("Expand", "scalar size", "a"),
            node("Sum", " ".join(["a", *["scalar"] * 2000]), "x"),
        ],
        "operations",
    ),
    "a range that overflows": ([node("Range", "last first one_", "x")], "too long"),
    "tiles": ([node("Tile", "z many", "x")], "numbers|operations"),
    "a pad": ([node("Pad", "z pads", "x")], "numbers|operations"),
    "a resize": (
        [IMAGE, helper.make_node("Resize", ["a", "", "", "sizes"], ["x"])],
        "numbers|operations",
    ),
    "one hot": ([node("OneHot", "one depth pair", "x")], "numbers|operations"),
    # These stop the process.
    "no groups": ([IMAGE, node("ConvTranspose", "a kernel", "x", group=0)], "has 0 groups"),
    "no groups of no channels": (
        [node("Reshape", "z nothing", "a"), node("Conv", "a kernel", "x", group=0)],
        "does not bring|has 0 groups",
    ),
    "more outputs than parts": ([node("Split", "z", "x y", axis=1, num_outputs=1)], "not split"),
    "indices": (
        [IMAGE, node("MaxPool", "a", "p q", kernel_shape=[1, 1]), node("Div", "q q", "x")],
        "its Div divides integers",
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_other_bombs(name):
    nodes, text = BOMBS[name]
    tensors = {
        "wide": floats(2, BIG),
        "vector": floats(BIG),
        "flat": floats(1, BIG),
        "zero": integers(0),
        "one": integers(1),
        "none": integers(),
        "empty": integers(2**33, 0, 4),
        "matrix": floats(4, 4),
        "scalar": floats(1),
        "size": integers(2**20),
        "long": integers(2**24),
        "first": np.array(-(2**63) + 2**28),
        "last": np.array(2**63 - 1),
        "one_": np.array(1),
        "many": integers(2**30, 2**30),
        "pads": integers(0, 2**62, 0, 2**62),
        "image": integers(1, 1, 2, 4),
        "nothing": integers(1, 0, 2, 4),
        "kernel": floats(1, 1, 1, 1),
        "sizes": integers(1, 1, 2**40, 2**40),
        "depth": np.array(2**40),
        "pair": floats(2),
    }
    assert re.search(text, refusal(graph_of(images(*nodes, last="x"), SHAPE | tensors)))


def test_subgraphs_and_outputs_of_one_name():
    inner = helper.make_graph([node("Identity", "z", "y")], "inner", [], [])
    for op, branches in (
        ("If", {"then_branch": inner, "else_branch": inner}),
        ("Scan", {"body": inner}),
    ):
        with pytest.raises(WireError, match="it has a subgraph"):
            onnx_file._check(graph_of([node(op, "z", "images", **branches)]))
    model = onnx.ModelProto.FromString(graph_of([node("Relu", "z", "images")]))
    model.graph.output.append(model.graph.output[0])
    with pytest.raises(WireError, match="more than one output of one name"):
        onnx_file._check(model.SerializeToString())


def test_the_limits_grow_with_the_weights_of_the_file():
    """300 million numbers are beyond the limit for 28x28 pixels alone."""
    nodes = [node("Expand", "one shape", "images")]
    tensors = {"one": np.ones(1, np.float32), "shape": np.array([300, 10**6])}
    assert "3e+08 numbers" in refusal(graph_of(nodes, tensors))
    tensors["weights"] = np.ones(100_000, np.float32)
    content = graph_of(nodes, tensors)
    Work(onnx_file._check(content), "model.onnx", spec_of(), "generator").check(1)


# Honest networks.


def test_every_shipped_model_is_far_within_the_limits(shipped):
    for name in shipped:
        bundle = find(name)
        for role in bundle.spec.roles:
            if bundle.holds(bundle.onnx_of(role).name):
                file = bundle.onnx_of(role)
                work = Work(read_onnx(file), file, bundle.spec, role)
                for n in (1, 16):
                    operations, numbers = total(work, n)
                    assert operations < 0.05 * n * limits(work._pixels, work._weights)[0]
                    assert numbers < 0.05 * n * limits(work._pixels, work._weights)[1]


def total(work, n):
    operations = numbers = 0
    for result, linear in work._walk(n):
        operations += max(result.operations, 16 * linear)
        numbers += sum(math.prod(value.shape) for value in result.outputs)
    return operations, numbers


@pytest.fixture
def shipped():
    return [name for name in ganzoo.list_models() if not str(name).startswith("hf://")]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("architecture", "side", "arguments"),
    [
        ("unet", 256, {}),
        ("cyclegan", 256, {}),
        ("stylegan2", 1024, {"width": 32}),
        ("stylegan3", 256, {"width": 128, "configuration": "R"}),
    ],
)
def test_large_networks_of_papers_run(tmp_path, architecture, side, arguments):
    image = ImageSpec(channels=3, height=side, width=side)
    translates = architecture in ("unet", "cyclegan")
    spec = ModelSpec(
        name="x",
        architecture=architecture,
        arguments={},
        requires=(),
        data=DataSpec(image=image, condition=image) if translates else DataSpec(image=image),
        latent=None if translates else LatentSpec(dim=512),
        inputs=("condition",) if translates else ("z",),
    )
    entry = architectures.entry(architecture)
    with torch.no_grad():
        network = architectures.make(entry, spec.data, **arguments)["generator"]
        graph = onnx_graph.trace(TorchModel(spec, network.eval()), "generator")
    file = tmp_path / "model.onnx"
    onnx_graph.write(graph.SerializeToString(), spec, file)
    work = Work(read_onnx(file), file, spec, "generator")
    for n in (1, 16):
        work.check(n)
        operations, numbers = total(work, n)
        assert operations < 0.5 * n * limits(work._pixels, work._weights)[0]
        assert numbers < 0.7 * n * limits(work._pixels, work._weights)[1]
