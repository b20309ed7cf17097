"""The header of a safetensors file: names, shapes and types of its tensors. No torch."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Container, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from safetensors import SafetensorError, safe_open

from ganzoo.errors import BundleError

MAX_HEADER = 2**23  # bytes, 8 MiB; the library reads 100 MB, and parsed it takes many times as much
SCALE = ".scale"  # ends the name of the float32 numbers that a tensor of int8 is multiplied by


class Stored(NamedTuple):
    """A tensor as a file stores it.

    Attributes:
        dtype: as the format names it, such as ``F16``.
        shape: its dimensions.
    """

    dtype: str
    shape: tuple[int, ...]


@contextlib.contextmanager
def open_tensors(file: Path, framework: str = "numpy") -> Iterator[Any]:
    """Open a file of safetensors, of which so far no more than the header is read.

    Args:
        file: of whoever wrote it.
        framework: what its tensors are read as: ``numpy``, or ``pt`` for torch.

    Raises:
        BundleError: it cannot be read; its header is too long or none, or its tensors overlap or
            lie outside the file.
    """
    try:
        with file.open("rb") as opened:
            header = int.from_bytes(opened.read(8), "little")
            size = os.fstat(opened.fileno()).st_size
        if MAX_HEADER < header <= size:
            raise BundleError(
                f"the header of {file} has {header:,} bytes, at most {MAX_HEADER:,} are read. "
                "Get the bundle again."
            )
        with safe_open(file, framework=framework) as tensors:
            yield tensors
    except OSError as error:
        raise BundleError(f"{file} cannot be read: {error.strerror or error}.") from error
    except SafetensorError as error:
        reason = " ".join(str(error).split())[:300]
        raise BundleError(
            f"{file} is not a whole safetensors file: {reason}. Get the bundle again."
        ) from error


def is_scale(name: str, names: Container[str]) -> bool:
    """Whether a tensor is what another one of the file is to be multiplied by.

    No network has both a tensor and a module of one name, so that a scale is no weight of its own.
    """
    return name.endswith(SCALE) and name.removesuffix(SCALE) in names


def read_header(file: Path) -> dict[str, Stored]:
    """Return a file's weights by name, without the scales of those that are int8.

    Raises:
        BundleError: as for `open_tensors`.
    """
    with open_tensors(file) as tensors:
        names = set(tensors.keys())
        parts = {n: tensors.get_slice(n) for n in names if not is_scale(n, names)}
        return {n: Stored(part.get_dtype(), tuple(part.get_shape())) for n, part in parts.items()}
