"""A file of safetensors of a stranger: its header is small, its tensors are as expected."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from ganzoo.errors import BundleError

MAX_HEADER = 2**23  # bytes, 8 MiB; the library reads 100 MB, and parsed it takes many times as much

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
_INTERCHANGEABLE = {torch.float16, torch.bfloat16, torch.float32}  # stored small, computed large


@contextlib.contextmanager
def open_weights(file: Path) -> Iterator[Any]:
    """Open a file of safetensors, of which so far no more than the header is read.

    Raises:
        BundleError: its header is too long or none, or its tensors overlap or lie outside the file.
    """
    with file.open("rb") as opened:
        header = int.from_bytes(opened.read(8), "little")
        size = os.fstat(opened.fileno()).st_size
    if MAX_HEADER < header <= size:
        raise BundleError(
            f"the header of {file} has {header:,} bytes, at most {MAX_HEADER:,} are read. "
            "Get the bundle again."
        )
    try:
        with safe_open(file, framework="pt") as tensors:
            yield tensors
    except SafetensorError as error:
        reason = " ".join(str(error).split())[:300]
        raise BundleError(
            f"{file} is not a whole safetensors file: {reason}. Get the bundle again."
        ) from error


def check_dtypes(file: Path, stored: Mapping[str, str], expected: Mapping[str, Tensor]) -> None:
    """Refuse tensors of other dtypes than the network's; its floats may be stored as halves.

    Args:
        file: where they are stored.
        stored: of each tensor, the dtype as the file's format names it.
        expected: the network's.

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
    """Refuse weights that would make nothing but NaN.

    Raises:
        BundleError: a number is NaN or infinite.
    """
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise BundleError(
                f"{file}: tensor {name!r} holds NaN or infinity. Get another version of the model."
            )
