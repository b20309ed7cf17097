"""Export a network as an ONNX graph with named inputs and outputs and any batch size.

Translators that read images of any size have free heights and widths, too.
"""

from __future__ import annotations

import importlib
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import onnx
import torch
from torch import Tensor

from ganzoo.bundle import METADATA_KEY
from ganzoo.bundle.files import new_file
from ganzoo.errors import ExportError
from ganzoo.nn import copy_in_eval_mode, torch_defaults
from ganzoo.runtimes.signature import MAPPING, SYNTHESIS, has_any_size, signature
from ganzoo.runtimes.torch import TorchModel, TorchSynthesis
from ganzoo.spec import ModelSpec
from ganzoo.spec.parsing import shorten
from ganzoo.system.dependencies import quiet_imports
from ganzoo.system.quiet import quiet

OPSET = 20
SIZE = ("height", "width")
MAX_CAUSE = 200  # characters


@torch_defaults()
def trace(model: TorchModel, role: str, fold: bool = True) -> onnx.ModelProto:
    """Export a network with torch's ONNX exporter.

    Args:
        model: the network.
        role: its role.
        fold: fold constants, such as those of BatchNorm, into the weights. Without, the graph holds
            the network's own weights, and an onnxruntime session folds them when it starts.

    Raises:
        ExportError: torch cannot export the network, or only for a fixed batch size, or a fixed
            size of images for a translator of any size.
    """
    if role == "generator" and model.spec.styles:
        return _trace_styles(model, fold)
    size = _example_size(model.spec, role)
    return _trace(model, role, *signature(model.spec, role, size), fold)


class _ToStyles(TorchModel):
    """The first part of a generator with styles, up to the values of all layers."""

    def forward(self, *inputs: Tensor) -> Any:
        """Return w (n, dim) and one w per layer, (n, layers, dim)."""
        w = self.network.mapping(*inputs)  # type: ignore[operator]
        return w, self.network.to_styles(w)  # type: ignore[operator]


def _trace_styles(model: TorchModel, fold: bool) -> onnx.ModelProto:
    """Export a generator with styles; the values between its parts keep their names.

    The parts are exported one by one. In one export, synthesis would read the batch size from z,
    and could not be cut out, see `ganzoo.runtimes.onnx_parts`.
    """
    spec = model.spec
    inputs, w = signature(spec, MAPPING)
    styles, images = signature(spec, SYNTHESIS)
    first = _trace(_ToStyles(spec, model.network), MAPPING, inputs, w | styles, fold)
    second = _trace(TorchSynthesis(spec, model.network), SYNTHESIS, styles, images, fold)
    _add_prefix(second.graph, "synthesis/", {*styles, *images})
    for name in ("node", "initializer", "value_info"):
        getattr(first.graph, name).extend(getattr(second.graph, name))
    del first.graph.output[:]
    first.graph.output.extend(second.graph.output)
    return first


def _add_prefix(graph: onnx.GraphProto, prefix: str, same: Collection[str]) -> None:
    """Rename a graph's values, except some and the network's own weights."""

    def rename(name: str) -> str:
        own = not name or name in same or name.startswith("network.")
        return name if own else prefix + name

    for node in graph.node:
        node.name = prefix + node.name
        node.input[:] = map(rename, node.input)
        node.output[:] = map(rename, node.output)
    for named in [*graph.initializer, *graph.value_info]:
        named.name = rename(named.name)


def _trace(
    model: TorchModel,
    role: str,
    inputs: Mapping[str, list[int]],
    outputs: Collection[str],
    fold: bool,
) -> onnx.ModelProto:
    free = _free_dimensions(model.spec, role, inputs)
    with quiet_imports():
        # The exporter imports it, and reports an interrupted import as an error of the network.
        importlib.import_module("torch._dynamo")
    examples = tuple(
        torch.zeros(2, *shape, dtype=torch.int64 if name == "y" else torch.float32)
        for name, shape in inputs.items()
    )
    # A copy with the same weights: while the exporter runs, it replaces the tensors of its module.
    network = copy_in_eval_mode(model.on_cpu())
    _check_weights(network, role, examples)
    try:
        with quiet_imports(), quiet():  # one thread at a time: the exporter needs that, too
            program = torch.onnx.export(
                network,
                examples,
                dynamo=True,
                input_names=list(inputs),
                output_names=list(outputs),
                dynamic_shapes=(tuple(free[name] for name in inputs),),
                opset_version=OPSET,
                verbose=False,
                optimize=fold,
            )
    except torch.onnx.errors.OnnxExporterError as error:
        reason = f"torch cannot export the {role}: {_find_cause(error)}"
        raise ExportError(
            f"{model.spec.name!r} cannot be exported to ONNX: {reason}. A {role} may use "
            "tensors only, and no operation that fixes the batch size, or the height and width "
            "if its attribute `sizes` states that they are free.",
            reason,
        ) from error
    assert program is not None
    graph = program.model_proto
    fixed = [i.name for i in graph.graph.input if not i.type.tensor_type.shape.dim[0].dim_param]
    if fixed:
        raise ExportError(
            f"{model.spec.name!r} cannot be exported to ONNX with a variable batch size: the "
            f"{role} fixes the batch size of {', '.join(fixed)}. Derive shapes from the inputs, "
            "for example with torch.zeros_like, not with int(x.shape[0]) or len(x).",
            f"the {role} fixes the batch size",
        )
    if has_any_size(model.spec, role):
        _name_sizes(graph.graph, model.spec)
    _forget_origin(graph)
    return graph


def _check_weights(model: TorchModel, role: str, examples: tuple[Tensor, ...]) -> None:
    """Check that a network keeps its weights when it runs: otherwise, torch's exporter may crash.

    Raises:
        ExportError: it does not.
    """
    before = {name: tensor.data_ptr() for name, tensor in model.state_dict().items()}
    with torch.no_grad():
        model(*examples)
    for name, tensor in model.state_dict().items():
        if tensor.data_ptr() != before[name]:
            raise ExportError(
                f"{model.spec.name!r} cannot be exported to ONNX: the {role} replaces its weight "
                f"{name} when it runs. Compute the weight before.",
                f"the {role} replaces its weight {name} when it runs",
            )


def _find_cause(error: BaseException) -> str:
    """Return the first line of the error that torch's exporter wraps in its own."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {shorten(lines[0], MAX_CAUSE)}" if lines else repr(error)


def _example_size(spec: ModelSpec, role: str) -> tuple[int, int] | None:
    """Return the size of example images of any size; None for the size of the training.

    Height and width differ, since torch takes equal numbers for one dimension.
    """
    if spec.sizes is None or not has_any_size(spec, role):
        return None
    step, image = spec.sizes.multiple, spec.data.condition
    assert image is not None
    height, width = (spec.sizes.padded(max(n, 2 * step)) for n in (image.height, image.width))
    return height, width + step * (1 + (width + step == height))


def _free_dimensions(
    spec: ModelSpec, role: str, inputs: Iterable[str]
) -> dict[str, dict[int, Any]]:
    """Return the free dimensions of each input, by axis."""
    batch = torch.export.Dim("batch")
    free: dict[str, dict[int, Any]] = {name: {0: batch} for name in inputs}
    if spec.sizes is not None and has_any_size(spec, role):
        step = spec.sizes.multiple
        for axis, name in enumerate(SIZE, 2):
            side = torch.export.Dim(name)
            free["condition"][axis] = side if step == 1 else step * side
    return free


def _name_sizes(graph: onnx.GraphProto, spec: ModelSpec) -> None:
    """Name height and width of a translator's input and output, such as ``4*height``."""
    assert spec.sizes is not None
    (condition,) = (value for value in graph.input if value.name == "condition")
    factor = f"{spec.sizes.scale}*" if spec.sizes.scale > 1 else ""
    for value, prefix in ((condition, ""), *((output, factor) for output in graph.output)):
        for axis, name in enumerate(SIZE, 2):
            value.type.tensor_type.shape.dim[axis].dim_param = f"{prefix}{name}"


def write(content: bytes, spec: ModelSpec, path: Path) -> None:
    """Write a graph, its weights and the config to one file.

    The config is appended: concatenated Protocol Buffers messages are one message
    (https://protobuf.dev/programming-guides/encoding/#last-one-wins).

    The weights are stored a second time beside the safetensors file. External data would refer to
    that file by offset, which breaks without an error when the file is saved again. Servers and
    browsers also load one file from memory, which excludes external data.

    Args:
        content: the graph without a config.
        spec: the config.
        path: the file.

    Raises:
        OutputError: the file cannot be written.
    """
    config = onnx.ModelProto()
    onnx.helper.set_model_props(config, {METADATA_KEY: spec.to_json()})
    with new_file(path) as file:
        file.write(content)
        file.write(config.SerializeToString())


def _forget_origin(model: onnx.ModelProto) -> None:
    """Remove the exporter's metadata: stack traces with paths of the exporting machine."""
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
