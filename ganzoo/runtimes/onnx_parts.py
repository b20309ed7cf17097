"""Cut one part of a network out of a checked ONNX file: mapping, z -> w, or synthesis, w -> images.

An exported generator with styles has two named values: ``w`` (n, dim), and ``styles`` (n, layers,
dim), one w per layer. The part's file consists of the operations that its output needs, byte for
byte. So what was checked is what runs, and the weights are in one file.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from ganzoo.errors import BundleError
from ganzoo.runtimes.onnx_file import Node, OnnxFile
from ganzoo.runtimes.protobuf import encode_field, encode_varint, fields

# Field numbers of the messages of ONNX that a part rewrites.
_MODEL_GRAPH, _MODEL_METADATA = 7, 14
_NODE, _NAME, _INITIALIZER, _INPUT, _OUTPUT = 1, 2, 5, 11, 12
_FLOAT, _INT64 = 1, 7
_LAYERS = {"Conv", "ConvTranspose", "Gemm", "MatMul"}


def cut(
    graph: OnnxFile, inputs: Mapping[str, list[int]], outputs: Mapping[str, list[int]]
) -> OnnxFile:
    """Return the part of a graph between some of its values.

    Args:
        graph: the graph.
        inputs: shapes of the part's inputs by name, without the batch dimension. ``y`` is int64,
            all others are float32.
        outputs: shapes of its outputs, of float32.

    Raises:
        BundleError: the graph has no such value, or an output needs another input.
    """
    nodes = _needed(graph.nodes, inputs, outputs)
    own = [graph.nodes[k] for k in nodes]
    read = {name for node in own for name in node.inputs} | {*outputs}
    tensors = [k for k, (name, _) in enumerate(graph.tensors) if name in read]
    known = {*inputs, *(graph.tensors[k][0] for k in tensors)}
    known |= {name for node in own for name in node.outputs}
    if missing := sorted(read - known - {""}):
        raise BundleError(
            f"the ONNX file has no part from {', '.join(inputs)} to {', '.join(outputs)}: it needs "
            f"{missing[0][:80]!r}. Export the model again."
        )
    content = _encode(graph.content, {*nodes}, {*tensors}, inputs, outputs)
    return replace(graph, content=content, nodes=own, tensors=[graph.tensors[k] for k in tensors])


def find_first_layer(graph: OnnxFile) -> str:
    """Return the name of the features of the first linear layer or convolution that reads z.

    Raises:
        BundleError: there is none.
    """
    derived = {"z"}
    for node in graph.nodes:
        if derived & {*node.inputs}:
            if node.op in _LAYERS and any(node.outputs[:1]):
                return node.outputs[0]
            derived.update(node.outputs)
    raise BundleError("the ONNX file has no linear layer or convolution that reads z.")


def _needed(nodes: list[Node], inputs: Collection[str], outputs: Collection[str]) -> list[int]:
    """Return the numbers of the nodes that outputs need, in the order of the graph."""
    values, needed = {*outputs}, []
    for number in reversed(range(len(nodes))):  # a node comes after those whose values it reads
        if values & ({*nodes[number].outputs} - {*inputs}):
            values.update(nodes[number].inputs)
            needed.append(number)
    return needed[::-1]


def _encode(
    content: bytes,
    nodes: Collection[int],
    tensors: Collection[int],
    inputs: Mapping[str, list[int]],
    outputs: Mapping[str, list[int]],
) -> bytes:
    data = memoryview(content)
    model: list[bytes | memoryview] = []
    for number, start, value, end in fields(data):
        if number == _MODEL_GRAPH:
            parts = list(_graph_fields(data[value:end], nodes, tensors))
            parts += [encode_field(_INPUT, _value(*item)) for item in inputs.items()]
            parts += [encode_field(_OUTPUT, _value(*item)) for item in outputs.items()]
            size = sum(map(len, parts))
            model += [encode_varint(_MODEL_GRAPH << 3 | 2), encode_varint(size), *parts]
        elif number != _MODEL_METADATA:
            model.append(data[start:end])
    return b"".join(model)


def _graph_fields(
    data: memoryview, nodes: Collection[int], tensors: Collection[int]
) -> Iterator[bytes | memoryview]:
    """Yield the kept nodes and tensors of a graph, and its name, as they are encoded."""
    counts = {_NODE: 0, _INITIALIZER: 0}
    own = {_NODE: nodes, _INITIALIZER: tensors}
    for number, start, _, end in fields(data):
        if number in counts:
            if counts[number] in own[number]:
                yield data[start:end]
            counts[number] += 1
        elif number == _NAME:
            yield data[start:end]


def _value(name: str, shape: list[int]) -> bytes:
    """Encode the name, type and shape of an input or output, with any batch size."""
    batch = encode_field(1, encode_field(2, b"batch"))
    sizes = (encode_field(1, encode_varint(1 << 3) + encode_varint(size)) for size in shape)
    element = encode_varint(1 << 3) + encode_varint(_INT64 if name == "y" else _FLOAT)
    tensor = element + encode_field(2, batch + b"".join(sizes))
    return encode_field(1, name.encode()) + encode_field(2, encode_field(1, tensor))
