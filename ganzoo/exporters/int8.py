"""Weights stored as int8: a quarter of the size, and still computed with in float32.

Symmetric, with one scale for each output channel ("Quantizing deep convolutional networks for
efficient inference: A whitepaper", Krishnamoorthi, 2018, https://arxiv.org/abs/1806.08342).
Activations stay float32: onnxruntime computes matrix products and convolutions in int8 but no
transposed convolution, so that a DCGAN whose activations were quantized was no faster and four to
seven times as far from the original (`tools/bench_precision.py --activations`).
"""

from __future__ import annotations

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from ganzoo.bundle.tensors import SCALE

LARGEST = 127  # so that -1 and 1 times the scale are as far from 0
SMALLEST_TENSOR = 256  # numbers; in a smaller one, scales take what int8 saves
_SCALE_BITS = (
    11  # of a scale's mantissa: LARGEST times it is then exact, and rounding again no change
)

_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


def quantize(network: nn.Module) -> dict[str, Tensor]:
    """Return a network's weights as they are stored: int8 with scales, and the rest as it is.

    Args:
        network: on the CPU.

    Returns:
        Tensors by name. One of int8 has its scale, float32, under its name and ``.scale``, with as
        many dimensions, all 1 but that of output channels.
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
        others = [k for k in range(tensor.ndim) if k != channels]
        scale = _round_up(tensor.abs().amax(others, keepdim=True).float() / LARGEST)
        stored[name] = (tensor / scale).round().clamp(-LARGEST, LARGEST).to(torch.int8)
        stored[name + SCALE] = scale
    return stored


def _round_up(scale: Tensor) -> Tensor:
    mantissa, exponent = torch.frexp(scale)
    rounded = torch.ldexp((mantissa * 2**_SCALE_BITS).ceil() / 2**_SCALE_BITS, exponent)
    return torch.where(scale > 0, rounded, 1.0)


def store_as_int8(model: onnx.ModelProto, stored: dict[str, Tensor]) -> None:
    """Store a graph's weights as int8, each followed by an operation that makes it float32 again.

    What the graph holds in another shape than the network stays float32: the graph computes the
    same to the bit.

    Args:
        model: the graph of a network whose weights are rounded.
        stored: what `quantize` returned for it.
    """
    graph, operations = model.graph, []
    for tensor in list(graph.initializer):
        name = tensor.name
        own = name.removeprefix("network.")
        if own + SCALE not in stored:
            continue
        whole, scale = stored[own].numpy(), stored[own + SCALE].numpy()
        if not np.array_equal(onnx.numpy_helper.to_array(tensor), whole * scale):
            continue
        tensor.CopyFrom(onnx.numpy_helper.from_array(whole, f"{name}.int8"))
        flat = onnx.numpy_helper.from_array(scale.reshape(-1), name + SCALE)
        graph.initializer.append(flat)
        axis = int(np.argmax(scale.shape))
        operations.append(
            onnx.helper.make_node("DequantizeLinear", [tensor.name, flat.name], [name], axis=axis)
        )
    nodes = [*operations, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
