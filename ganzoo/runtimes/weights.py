"""Check the dtypes and values of a bundle's weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from ganzoo.errors import BundleError

_DTYPES = {
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F32": torch.float32,
    "F64": torch.float64,
    "U8": torch.uint8,
    "I8": torch.int8,
    "I16": torch.int16,
    "I32": torch.int32,
    "I64": torch.int64,
    "BOOL": torch.bool,
}
_INTERCHANGEABLE = {
    torch.float16,
    torch.bfloat16,
    torch.float32,
}  # a file may store half precision, torch computes in float32


def check_dtypes(file: Path, stored: Mapping[str, str], expected: Mapping[str, Tensor]) -> None:
    """Raise an error if a tensor's dtype differs; float16, bfloat16 and float32 may differ.

    Args:
        file: the weights' file, for messages.
        stored: each tensor's dtype, as safetensors names it.
        expected: the network's tensors.

    Raises:
        BundleError: a dtype differs.
    """
    for name, code in stored.items():
        dtypes = {_DTYPES.get(code), expected[name].dtype}
        if len(dtypes) > 1 and not dtypes <= _INTERCHANGEABLE:
            raise BundleError(
                f"{file} does not fit config.json: tensor {name!r} holds "
                f"{_DTYPES.get(code, code)} in the file and {expected[name].dtype} in the "
                "network. Get the bundle again."
            )


def check_finite(file: Path, tensors: Mapping[str, Tensor]) -> None:
    """Raise an error if a weight is NaN or infinite.

    Raises:
        BundleError: a weight is NaN or infinite.
    """
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise BundleError(
                f"{file}: tensor {name!r} contains NaN or infinity. Get the bundle again, or use "
                "another version of the model."
            )
