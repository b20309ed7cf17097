"""Store weights as float16, in half the size; runtimes still compute in float32."""

from __future__ import annotations

import numpy as np
import onnx
from torch import Tensor, nn

from ganzoo.errors import ExportError


def halve(network: nn.Module) -> dict[str, Tensor]:
    """Return a network's weights as float16; integer tensors stay unchanged.

    Raises:
        ExportError: a weight is larger than float16's maximum, 65,504.
    """
    stored = {}
    for name, tensor in network.state_dict().items():
        stored[name] = tensor.half() if tensor.is_floating_point() else tensor
        if not stored[name].isfinite().all():
            raise ExportError(
                f"cannot export as fp16: the tensor {name!r} reaches "
                f"{float(tensor.abs().max()):.3g}, and the largest float16 is 65,504. Export as "
                "fp32."
            )
    return stored


def store_as_half(model: onnx.ModelProto) -> None:
    """Store a graph's float32 constants as float16, each followed by a cast to float32.

    A session folds the casts when it starts. A constant that float16 cannot represent exactly stays
    float32, so the graph's results are bit-identical.
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
