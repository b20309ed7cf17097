"""The check of an ONNX file reads what every parser of Protocol Buffers reads, or refuses it."""

import struct

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

import ganzoo
from ganzoo.errors import BundleError
from ganzoo.runtimes import onnx_file
from ganzoo.runtimes.onnx_file import MAX_FIELDS, read_onnx
from ganzoo.runtimes.protobuf import Message, Reader, WireError
from helpers.bundles import rehash

VARINT, FIXED64, LENGTH, GROUP, END_GROUP, FIXED32 = range(6)


def varint(value, size=1):
    """Encode an integer of 64 bits; a larger size than it needs makes it overlong."""
    value &= 2**64 - 1
    parts = []
    while value > 0x7F or len(parts) + 1 < size:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


def field(number, content, bits=0):
    """Encode a field of bytes or of an integer; `bits` are added to its tag."""
    if isinstance(content, int):
        return varint((number << 3 | VARINT) + bits) + varint(content)
    return varint((number << 3 | LENGTH) + bits) + varint(len(content)) + content


def tiny_model():
    """A graph with every kind of field that the schema has."""
    z = helper.make_tensor_value_info("z", TensorProto.FLOAT, ["batch", 4])
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 1, 2, 2])
    weights = numpy_helper.from_array(np.arange(16, dtype=np.float32).reshape(4, 4), "weights")
    nodes = [
        helper.make_node("Gemm", ["z", "weights"], ["h"], name="first", alpha=0.5, transB=1),
        helper.make_node("Constant", [], ["floats"], value_floats=[1.0, -2.0, 0.5, 3.0]),
        helper.make_node("Constant", [], ["shape"], value_ints=[-1, 1, 2, 2]),
        helper.make_node("Constant", [], ["text"], value_strings=["a", "b"]),
        helper.make_node("Constant", [], ["word"], value_string="word"),
        helper.make_node(
            "Constant", [], ["one"], value=numpy_helper.from_array(np.array(1, np.int64))
        ),
        helper.make_node("Mul", ["h", "floats"], ["scaled"], domain=""),
        helper.make_node("Reshape", ["scaled", "shape"], ["images"]),
    ]
    graph = helper.make_graph(nodes, "g", [z], [images], [weights])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    helper.set_model_props(model, {"ganzoo.config": "{}", "other": "x"})
    return model.SerializeToString()


TINY = tiny_model()


def refusal(content):
    """Why the check refuses a file."""
    with pytest.raises(WireError) as error:
        onnx_file._check(content)
    return str(error.value)


def test_the_tiny_model_passes():
    graph = onnx_file._check(TINY)
    assert graph.content is TINY
    assert graph.config == "{}"
    assert graph.nodes[0].op == "Gemm"
    assert graph.nodes[0].attributes == {"alpha": 0.5, "transB": 1}
    assert graph.nodes[1].attributes == {"value_floats": [1.0, -2.0, 0.5, 3.0]}
    assert graph.nodes[2].attributes == {"value_ints": [-1, 1, 2, 2]}
    assert graph.nodes[4].attributes == {"value_string": "word"}


BODY = helper.make_graph([], "body", [], []).SerializeToString()
SPARSE = onnx.SparseTensorProto(dims=[10]).SerializeToString()
ENTRY = field(1, b"ganzoo.config") + field(2, b"{}")
NAN = np.full(4, np.nan, np.float32).tobytes()

# Where each feature that is refused is in a model, from the field of it to the model.
FEATURES = {
    "its own functions": lambda bits: field(25, b"", bits),
    "training information": lambda bits: field(20, b"", bits),
    "device configurations": lambda bits: field(26, b"", bits),
    "more than one config": lambda bits: field(14, ENTRY, bits),
    "operators of the domains": lambda bits: field(8, field(1, b"com.microsoft"), bits),
    "has more than one graph": lambda bits: field(7, b"", bits),
}
GRAPH_FEATURES = {
    "sparse tensors": lambda bits: field(15, SPARSE, bits),
    "annotations": lambda bits: field(14, b"", bits),
    "metadata outside the model's own": lambda bits: field(16, ENTRY, bits),
    "operators of the domain 'com.microsoft'": lambda bits: field(
        1, field(4, b"Gelu") + field(7, b"com.microsoft", bits)
    ),
    "a subgraph": lambda bits: field(
        1, field(5, field(1, b"body") + field(20, 5) + field(6, BODY, bits))
    ),
    "data in other files": lambda bits: field(5, field(13, ENTRY, bits)),
    "data in other files ": lambda bits: field(
        5, field(2, 1) + field(9, b"") + field(14, 1, bits) + field(1, 0)
    ),
    "numbers that are not stored as raw data": lambda bits: field(5, field(4, NAN, bits)),
    "a tensor in segments": lambda bits: field(5, field(3, b"", bits)),
}


def in_graph(content):
    """The tiny model with fields added to its graph."""
    model = onnx.ModelProto.FromString(TINY)
    graph = model.graph.SerializeToString()
    model.ClearField("graph")
    return model.SerializeToString() + field(7, graph + content)


@pytest.mark.parametrize("feature", [*FEATURES, *GRAPH_FEATURES])
def test_a_tag_beyond_32_bits_hides_nothing(feature):
    """Parsers in C++ drop the upper bits of a tag: the same field to them, and another one to us."""
    for bits in (0, 2**32):
        if feature in FEATURES:
            text = refusal(TINY + FEATURES[feature](bits))
        else:
            text = refusal(in_graph(GRAPH_FEATURES[feature](bits)))
        assert ("has the unknown field" if bits else feature.strip()) in text


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (varint(1 << 3, size=2) + varint(8), "truncated, or not encoded"),  # an overlong tag
        (field(2, b"x")[:1] + varint(1, size=2) + b"x", "truncated, or not encoded"),  # a length
        (varint(5 << 3) + varint(3, size=10), "truncated, or not encoded"),  # a number
        (varint(5 << 3) + b"\xff" * 9 + b"\x02", "truncated, or not encoded"),  # of 65 bits
        (varint(5 << 3) + b"\xff" * 10 + b"\x01", "truncated, or not encoded"),
        (varint(7 << 3 | GROUP) + varint(7 << 3 | END_GROUP), "graph of its model has the wrong"),
        (varint(99 << 3 | GROUP) + varint(99 << 3 | END_GROUP), "its model has the unknown field"),
        (varint(7 << 3 | VARINT) + b"\x01", "graph of its model has the wrong wire type 0"),
        (varint(1 << 3 | LENGTH) + b"\x01\x0a", "ir_version of its model has the wrong wire type"),
        (varint(1 << 3 | FIXED64) + bytes(8), "ir_version of its model has the wrong wire type 1"),
        (varint(2 << 3 | FIXED32) + bytes(4), "producer_name of its model has the wrong wire"),
        (field(1, 9), "its model has more than one ir_version"),
        (field(0, b""), "its model has the unknown field 0"),
        (field(9, b""), "its model has the unknown field 9"),
        (field(2**29 - 1, b""), "its model has the unknown field"),
        (field(3, b"\xff"), "one producer_version is not UTF-8"),
    ],
)
def test_encodings_that_parsers_read_differently(content, text):
    assert text in refusal(TINY + content)


@pytest.mark.parametrize(
    ("tensor", "text"),
    [
        (field(2, 2**32 + 1), "too large for int32"),  # float32 to a parser that truncates
        (field(2, 1) + field(2, 7), "its tensor has more than one kind"),
        (field(2, 8) + field(9, b""), "unknown type 8"),
        (field(1, -1) + field(2, 1) + field(9, b""), "a tensor has the shape -1"),
        (b"".join(field(1, 1) for _ in range(17)) + field(2, 1) + field(9, bytes(4)), "1x1x1"),
        (field(2, 1), "a tensor of one number has no raw data"),
        (field(2, 1) + field(9, NAN[:4]), "weights contain NaN"),
        (field(2, 16) + field(9, b"\xc0\x7f"), "weights contain NaN"),
        (field(2, 1) + field(9, NAN[:4]) + field(1, 1), "weights contain NaN"),
        (field(2, 16) + field(9, b"\x80\x7f") + field(1, 1), "weights contain NaN"),
    ],
)
def test_tensors_that_parsers_read_differently(tensor, text):
    assert text in refusal(in_graph(field(5, tensor)))


@pytest.mark.parametrize(
    ("attribute", "text"),
    [
        (field(1, b"a") + field(3, 1), "unknown type 0"),
        (field(1, b"a") + field(3, 1) + field(20, 99), "unknown type 99"),
        (field(1, b"a") + field(3, 1) + field(20, 1), "is not of its type"),
        (field(1, b"a") + field(3, 1) + field(8, 1) + field(20, 2), "is not of its type"),
        (field(1, b"a") + field(20, 4), "is not of its type"),
        (field(1, b"a") + field(21, b"b") + field(20, 2), "it has references"),
    ],
)
def test_attributes_that_parsers_read_differently(attribute, text):
    assert text in refusal(in_graph(field(1, field(4, b"Relu") + field(5, attribute))))


@pytest.mark.parametrize("value", [np.nan, [np.nan, 1], [np.inf, 1]])
def test_an_attribute_that_is_no_number(value):
    attribute = helper.make_attribute("alpha", value).SerializeToString()
    assert "is NaN or infinite" in refusal(in_graph(field(1, field(5, attribute))))


def test_a_single_number_may_be_an_infinite_bound():
    bound = field(2, 1) + field(9, np.float32(np.inf).tobytes()) + field(8, b"bound")
    bfloat16 = field(2, 16) + field(9, b"\x80\x7f") + field(8, b"other")
    attribute = helper.make_attribute("value_float", np.inf).SerializeToString()
    onnx_file._check(in_graph(field(5, bound) + field(5, bfloat16) + field(1, field(5, attribute))))


def test_two_attributes_of_one_name():
    attribute = field(5, field(1, b"a") + field(3, 1) + field(20, 2))
    assert "two attributes of one name" in refusal(in_graph(field(1, attribute * 2)))


def test_a_dimension_is_a_number_or_a_name():
    dimension = field(1, 4) + field(2, b"batch")
    shape = field(2, field(1, field(2, field(1, dimension))))
    assert "its dimension has more than one size" in refusal(in_graph(field(13, shape)))


def test_packed_numbers_are_the_same_numbers():
    dims = {"unpacked": field(1, 2) + field(1, 3), "packed": field(1, varint(2) + varint(3))}
    mixed = field(1, 2) + field(1, varint(3)) + field(1, b"")
    for encoded in (*dims.values(), mixed):
        tensor = field(8, b"t") + field(2, 1) + field(9, bytes(24)) + encoded
        graph = onnx_file._check(in_graph(field(5, tensor)))
        assert graph.tensors[-1][0] == "t"
        assert graph.tensors[-1][1].shape == (2, 3)
    # Packed numbers count as those that are not: a byte in the file is 28 in memory.
    many = field(5, field(1, bytes(MAX_FIELDS)))
    assert f"more than {MAX_FIELDS:,} parts" in refusal(in_graph(many))


# Mutations at the wire level, and the parser of the onnx package.


def decode(content, message):
    """A message as a list of fields that can be changed: number, wire type, tag's bits, content."""
    items, at = [], 0
    while at < len(content):
        tag, at = read_varint(content, at)
        number, wire = tag >> 3, tag & 7
        if wire == VARINT:
            value, at = read_varint(content, at)
        else:
            size, at = (4, at) if wire == FIXED32 else read_varint(content, at)
            value, at = content[at : at + size], at + size
        kind = message.fields[number].kind
        items.append([number, wire, 0, decode(value, kind) if isinstance(kind, Message) else value])
    return items


def read_varint(content, at):
    value = shift = 0
    while True:
        value |= (content[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if content[at - 1] < 0x80:
            return value, at


def encode(items):
    parts = []
    for number, wire, bits, value in items:
        content = encode(value) if isinstance(value, list) else value
        parts.append(varint((number << 3 | wire) + bits))
        if isinstance(content, int):
            parts.append(varint(content))
        else:
            parts.append((varint(len(content)) if wire == LENGTH else b"") + content)
    return b"".join(parts)


def messages(items):
    """All messages, as lists of fields, with those within them."""
    yield items
    for item in items:
        if isinstance(item[3], list):
            yield from messages(item[3])


@st.composite
def mutants(draw):
    """The tiny model with a few changes that its encoding allows, right or wrong."""
    model = decode(TINY, onnx_file._MODEL)
    for _ in range(draw(st.integers(1, 3))):
        items = draw(st.sampled_from([m for m in messages(model) if m]))
        k = draw(st.integers(0, len(items) - 1))
        item = items[k]
        numbers = st.integers(0, 2**64 - 1) | st.integers(0, 30)
        match draw(st.integers(0, 8)):
            case 0:
                item[2] = draw(st.sampled_from([2**32, 2**35, 2**63]))
            case 1:
                items.insert(draw(st.integers(0, len(items))), list(item))
            case 2:
                item[0] = draw(st.integers(0, 30))
            case 3:
                item[1] = draw(st.integers(0, 7))
            case 4:
                item[3] = draw(st.binary(max_size=12))
            case 5:
                item[1], item[3] = VARINT, draw(numbers)
            case 6:
                item[1], item[3] = LENGTH, b"".join(map(varint, draw(st.lists(numbers))))
            case 7:
                del items[k]
            case 8:
                items.append([draw(st.integers(0, 30)), VARINT, 0, draw(numbers)])
    return encode(model)


def as_read_by_onnx(proto, message):
    """A parsed message as `Reader` returns it. Fails on a field that it must not have."""
    values = {}
    for descriptor, value in proto.ListFields():
        item = message.fields[descriptor.number]
        values_of = list(value) if item.repeated else [value]
        if isinstance(item.kind, Message):
            values_of = [as_read_by_onnx(each, item.kind) for each in values_of]
        values.setdefault(item.name, []).extend(map(comparable, values_of))
    return values


def as_read(values):
    values_of = {k: v if isinstance(v, list) else [v] for k, v in values.items()}
    return {
        k: [as_read(each) if isinstance(each, dict) else comparable(each) for each in v]
        for k, v in values_of.items()
        if v
    }


def comparable(value):
    if isinstance(value, float):
        return struct.pack("<f", value)  # NaN too
    return value.encode() if isinstance(value, str) else value


def test_values_outside_an_enumeration_are_refused():
    """The onnx package keeps them as unknown fields."""
    content = TINY.replace(b"\xa0\x01\x04", b"\xa0\x01\x0f", 1)
    assert content != TINY
    with pytest.raises(WireError, match="its attribute has the unknown type 15"):
        Reader(memoryview(content), MAX_FIELDS).read(onnx_file._MODEL)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    mutants()
    | st.builds(
        lambda k, b: TINY[:k] + b + TINY[k + len(b) :],
        st.integers(0, len(TINY)),
        st.binary(min_size=1, max_size=3),
    )
)
def test_what_is_accepted_reads_the_same_to_the_onnx_package(content):
    try:
        values = Reader(memoryview(content), MAX_FIELDS).read(onnx_file._MODEL)
    except WireError:
        return
    parsed = onnx.ModelProto.FromString(content)
    assert as_read(values) == as_read_by_onnx(parsed, onnx_file._MODEL)
    size = parsed.ByteSize()
    parsed.DiscardUnknownFields()
    assert parsed.ByteSize() == size, "no field is unknown to it"
    try:
        graph = onnx_file._check(content)
    except WireError:
        return
    assert [node.op for node in graph.nodes] == [node.op_type for node in parsed.graph.node]


# The session.


def test_the_session_gets_the_bytes_that_were_checked(bundle, monkeypatch):
    from ganzoo.runtimes import onnx as runtime

    images = ganzoo.load(bundle, runtime="onnx").generate(np.zeros((1, 8), np.float32))

    def read_then_replace(file):
        checked = read_onnx(file)
        file.write_bytes(b"another file")
        return checked

    monkeypatch.setattr(runtime, "read_onnx", read_then_replace)
    model = ganzoo.load(bundle, runtime="onnx")
    assert np.array_equal(model.generate(np.zeros((1, 8), np.float32)), images)


def test_bytes_that_are_a_format_of_onnxruntime_too(bundle):
    """onnxruntime takes bytes with ORTM at the fourth for its own format, if it may choose."""
    file = bundle / "model.onnx"
    model = onnx.load(file)
    model.ClearField("producer_name")
    file.write_bytes(field(2, b"--ORTM") + model.SerializeToString())
    rehash(bundle)
    assert file.read_bytes()[4:8] == b"ORTM"
    assert ganzoo.load(bundle, runtime="onnx").sample(1)


def test_a_file_that_was_not_checked_is_not_read(bundle):
    (bundle / "model.onnx").write_bytes(TINY + field(25, b"", 2**32))
    rehash(bundle)
    with pytest.raises(BundleError, match=r"unknown field 5\d+\. Get the bundle again"):
        ganzoo.load(bundle, runtime="onnx")
