"""Convert weights that a bundle stores as int8 back to float32."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from ganzoo.bundle.tensors import SCALE, is_scale
from ganzoo.errors import BundleError


def dequantize(file: Path, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Multiply each int8 tensor by its scale; return the other tensors unchanged.

    Args:
        file: the tensors' file, for messages.
        tensors: tensors by name. A scale has as many dimensions as its tensor, each of the same
            length or 1.

    Raises:
        BundleError: a scale does not fit its tensor.
    """
    restored = {}
    for name, tensor in tensors.items():
        scale = tensors.get(name + SCALE)
        if is_scale(name, tensors):
            continue
        if scale is not None:
            fits = scale.ndim == tensor.ndim and all(
                s in (1, n) for s, n in zip(scale.shape, tensor.shape, strict=True)
            )
            if tensor.dtype != torch.int8 or scale.dtype != torch.float32 or not fits:
                raise BundleError(
                    f"{file}: the scale {name + SCALE!r}, {scale.dtype} {tuple(scale.shape)}, does "
                    f"not fit {name!r}, {tensor.dtype} {tuple(tensor.shape)}. Get the bundle again."
                )
            tensor = tensor.float() * scale
        restored[name] = tensor
    return restored
