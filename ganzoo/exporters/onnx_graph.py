"""A network as an ONNX graph: named inputs and output, dynamic batch."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path

import onnx
import torch

from ganzoo.bundle import METADATA_KEY
from ganzoo.bundle.files import new_file
from ganzoo.errors import ExportError
from ganzoo.runtimes.signature import signature
from ganzoo.runtimes.torch import TorchModel
from ganzoo.spec import ModelSpec

OPSET = 20


def trace(model: TorchModel, role: str, fold: bool = True) -> onnx.ModelProto:
    """Translate a network with torch's exporter.

    Args:
        model: the network.
        role: its role.
        fold: merge what can be computed beforehand, such as BatchNorm, into the weights; without,
            they are the network's own, and a session of onnxruntime merges them when it begins.

    Raises:
        ExportError: the exporter cannot translate it, or not for batches of any size.
    """
    inputs, outputs = signature(model.spec, role)
    batch = torch.export.Dim("batch")
    try:
        with _quiet():
            program = torch.onnx.export(
                model.cpu().eval(),
                tuple(
                    torch.zeros(2, *shape, dtype=torch.int64 if name == "y" else torch.float32)
                    for name, shape in inputs.items()
                ),
                dynamo=True,
                input_names=list(inputs),
                output_names=list(outputs),
                dynamic_shapes=(tuple({0: batch} for _ in inputs),),
                opset_version=OPSET,
                verbose=False,
                optimize=fold,
            )
    except torch.onnx.errors.OnnxExporterError as error:
        raise ExportError(
            f"{model.spec.name!r} cannot be exported to ONNX: {error}. A {role} may use "
            "tensors only, and no operation that fixes the batch size."
        ) from error
    assert program is not None
    graph = program.model_proto
    fixed = [i.name for i in graph.graph.input if not i.type.tensor_type.shape.dim[0].dim_param]
    if fixed:
        raise ExportError(
            f"{model.spec.name!r} cannot be exported to ONNX with a batch of any size: the {role} "
            f"fixes that of {', '.join(fixed)}. Shapes that follow its inputs', as those of "
            "torch.zeros_like, leave it open; int(x.shape[0]) and len(x) fix it."
        )
    _forget_origin(graph)
    return graph


def write(content: bytes, spec: ModelSpec, path: Path) -> None:
    """Write a graph to one file that carries the config, and the weights once more.

    The config follows what is there: messages of Protocol Buffers that are joined are one message
    (https://protobuf.dev/programming-guides/encoding/#last-one-wins).

    Naming the tensors of the safetensors file as external data would save their size. But they are
    found by their offset, which whoever saves that file again moves without an error, and servers
    and browsers load one file, from memory, where external data is refused.

    Args:
        content: the graph without a config.
        spec: the config.
        path: the file.

    Raises:
        OutputError: it cannot be written.
    """
    config = onnx.ModelProto()
    onnx.helper.set_model_props(config, {METADATA_KEY: spec.to_json()})
    with new_file(path) as file:
        file.write(content)
        file.write(config.SerializeToString())


def _forget_origin(model: onnx.ModelProto) -> None:
    """Drop the exporter's notes: stack traces with the paths of the machine that exports."""
    graphs = [model.graph, *model.functions]
    while graphs:
        graph = graphs.pop()
        for part in [graph, *graph.node, *graph.value_info]:
            del part.metadata_props[:]
            part.doc_string = ""
        if isinstance(graph, onnx.GraphProto):
            for part in [*graph.input, *graph.output]:
                del part.metadata_props[:]
            for tensor in graph.initializer:
                del tensor.metadata_props[:]
        for node in graph.node:
            for attribute in node.attribute:
                graphs += [*attribute.graphs] + ([attribute.g] if attribute.HasField("g") else [])
    del model.metadata_props[:]
    model.doc_string = ""


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's progress messages and its libraries' deprecations from the user."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
