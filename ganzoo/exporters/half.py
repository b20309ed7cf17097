"""Weights stored as float16: half the size, and still computed with in float32."""

from __future__ import annotations

import numpy as np
import onnx
from torch import Tensor, nn

from ganzoo.errors import ExportError


def halve(network: nn.Module) -> dict[str, Tensor]:
    """Return a network's weights as they are stored: float16, and counts as they are.

    Raises:
        ExportError: a weight is beyond float16's 65,504.
    """
    stored = {}
    for name, tensor in network.state_dict().items():
        stored[name] = tensor.half() if tensor.is_floating_point() else tensor
        if not stored[name].isfinite().all():
            raise ExportError(
                f"the export is refused: the tensor {name!r} reaches "
                f"{float(tensor.abs().max()):.3g}, and float16 ends at 65,504. Export as fp32."
            )
    return stored


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
