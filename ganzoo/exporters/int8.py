"""Store weights as int8, in a quarter of the size; runtimes still compute in float32.

The quantization is symmetric, with one scale for each output channel ("Quantizing deep
convolutional networks for efficient inference: A whitepaper", Krishnamoorthi, 2018,
https://arxiv.org/abs/1806.08342). Activations stay float32: onnxruntime has no int8 transposed
convolution, so a DCGAN with quantized activations was no faster and four to seven times as far from
the original (`tools/bench_precision.py --activations`).
"""

from __future__ import annotations

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from ganzoo.bundle.tensors import SCALE

LARGEST = 127  # symmetric range: -128 is not used
SMALLEST_TENSOR = 256  # numbers; the scales of a smaller tensor take what int8 saves
_SCALE_BITS = 11  # mantissa bits of a scale: LARGEST * scale is exact, and rounding is idempotent

_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


def quantize(network: nn.Module) -> dict[str, Tensor]:
    """Return a network's weights as int8 with scales; small and integer tensors stay unchanged.

    Args:
        network: a network on the CPU.

    Returns:
        Tensors by name. The float32 scale of an int8 tensor has its name and ``.scale``, and the
        same number of dimensions, all of length 1 except the output channels.
    """
    transposed = {
        f"{name}.weight".lstrip(".")
        for name, module in network.named_modules()
        if isinstance(module, _TRANSPOSED)
    }
    stored = {}
    for name, tensor in network.state_dict().items():
        stored[name] = tensor
        if not tensor.is_floating_point() or tensor.ndim < 2 or tensor.numel() < SMALLEST_TENSOR:
            continue
        channels = 1 if name in transposed else 0
        other_dims = [k for k in range(tensor.ndim) if k != channels]
        scale = _round_up(tensor.abs().amax(other_dims, keepdim=True).float() / LARGEST)
        stored[name] = (tensor / scale).round().clamp(-LARGEST, LARGEST).to(torch.int8)
        stored[name + SCALE] = scale
    return stored


def _round_up(scale: Tensor) -> Tensor:
    mantissa, exponent = torch.frexp(scale)
    rounded = torch.ldexp((mantissa * 2**_SCALE_BITS).ceil() / 2**_SCALE_BITS, exponent)
    return torch.where(scale > 0, rounded, 1.0)


def store_as_int8(model: onnx.ModelProto, stored: dict[str, Tensor]) -> None:
    """Store a graph's weights as int8, each followed by a DequantizeLinear operation.

    A tensor whose shape differs from the network's stays float32, so the graph's results are
    bit-identical.

    Args:
        model: the graph of a network with rounded weights.
        stored: the result of `quantize` for this network.
    """
    graph, operations = model.graph, []
    for tensor in list(graph.initializer):
        name = tensor.name
        key = name.removeprefix("network.")
        if key + SCALE not in stored:
            continue
        integers, scale = stored[key].numpy(), stored[key + SCALE].numpy()
        if not np.array_equal(onnx.numpy_helper.to_array(tensor), integers * scale):
            continue
        tensor.CopyFrom(onnx.numpy_helper.from_array(integers, f"{name}.int8"))
        flat = onnx.numpy_helper.from_array(scale.reshape(-1), name + SCALE)
        graph.initializer.append(flat)
        axis = int(np.argmax(scale.shape))
        operations.append(
            onnx.helper.make_node("DequantizeLinear", [tensor.name, flat.name], [name], axis=axis)
        )
    nodes = [*operations, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
