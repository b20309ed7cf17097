"""Weights stored as float16: half the size, and still computed with in float32."""

from __future__ import annotations

import copy

import numpy as np
import onnx
import torch

from ganzoo.errors import ExportError
from ganzoo.exporters.parity import largest_difference
from ganzoo.runtimes.torch import TorchModel


@torch.no_grad()
def round_to_half(model: TorchModel, role: str) -> float:
    """Round a model's weights, in place, to numbers that float16 holds.

    Returns:
        How far that moves an output at most, on the inputs by which runtimes are compared.

    Raises:
        ExportError: a weight is beyond float16's 65,504.
    """
    before = copy.deepcopy(model)
    for name, tensor in model.network.state_dict().items():
        if not tensor.is_floating_point():
            continue
        rounded = tensor.half()
        if not rounded.isfinite().all():
            raise ExportError(
                f"the export of the {role} is refused: its tensor {name!r} reaches "
                f"{float(tensor.abs().max()):.3g}, and float16 ends at 65,504. Export without half."
            )
        tensor.copy_(rounded)
    return largest_difference(before, model, role)


def store_as_half(model: onnx.ModelProto) -> None:
    """Store a graph's float32 constants as float16, each followed by a cast back.

    The cast is folded when a session begins. What would lose by it, such as a constant of the
    graph that is no weight, stays float32: the graph computes the same to the bit.
    """
    graph, casts = model.graph, []
    for tensor in graph.initializer:
        if tensor.data_type != onnx.TensorProto.FLOAT:
            continue
        values = onnx.numpy_helper.to_array(tensor)
        with np.errstate(over="ignore"):
            stored = values.astype(np.float16)
        if not np.array_equal(stored.astype(np.float32), values):
            continue
        name = tensor.name
        tensor.CopyFrom(onnx.numpy_helper.from_array(stored, f"{name}.float16"))
        casts.append(
            onnx.helper.make_node("Cast", [tensor.name], [name], to=onnx.TensorProto.FLOAT)
        )
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(model, full_check=True)
