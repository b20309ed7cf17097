"""How weights that a bundle stores as int8 become float32 again."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from ganzoo.bundle.tensors import SCALE, is_scale
from ganzoo.errors import BundleError


def dequantize(file: Path, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Multiply every int8 tensor of a file that has a scale by it.

    Args:
        file: where they come from.
        tensors: by name; a scale has its tensor's dimensions, each of that length or 1.

    Raises:
        BundleError: a scale that does not fit its tensor.
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
                    f"{file}: {name + SCALE!r}, {scale.dtype} {tuple(scale.shape)}, is no scale of "
                    f"{name!r}, {tensor.dtype} {tuple(tensor.shape)}. Get the bundle again."
                )
            tensor = tensor.float() * scale
        restored[name] = tensor
    return restored
