"""Read untrusted safetensors files: names, shapes and dtypes of their tensors."""

from __future__ import annotations

import contextlib
from collections.abc import Container, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from ganzoo.errors import BundleError
from ganzoo.spec.json_text import read_json
from ganzoo.spec.parsing import shorten

MAX_HEADER = (
    2**23
)  # bytes, 8 MiB; the library allows 100 MB, which take many times as much when parsed
SCALE = ".scale"  # suffix of the float32 scales that an int8 tensor is multiplied by

# Errors that malformed JSON may raise.
_MALFORMED = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)


class Stored(NamedTuple):
    """The dtype and shape of a tensor in a file.

    Attributes:
        dtype: the format's name of the dtype, such as ``F16``.
        shape: the dimensions.
    """

    dtype: str
    shape: tuple[int, ...]


@contextlib.contextmanager
def open_tensors(file: Path, framework: str = "pt") -> Iterator[Any]:
    """Open a safetensors file; only the header is read.

    Args:
        file: the file.
        framework: ``pt`` for torch tensors, ``np`` for NumPy arrays.

    Raises:
        BundleError: the file cannot be read, its header is missing, too long or has a key more
            than once, or its tensors overlap or exceed the file.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with file.open("rb") as opened:
            _read_json(file, opened)  # of a repeated key, the library keeps the last value
        with safe_open(file, framework=framework) as tensors:
            yield tensors
    except OSError as error:
        raise BundleError(
            f"cannot read {file}: {error.strerror or error}. Check its permissions."
        ) from error
    except SafetensorError as error:
        reason = " ".join(str(error).split())[:300]
        raise BundleError(
            f"{file} is not a complete safetensors file: {reason}. Get the bundle again."
        ) from error


def is_scale(name: str, names: Container[str]) -> bool:
    """Return whether a tensor is the scale of another tensor in the file.

    A network cannot have a tensor and a module of the same name, so a scale is never a weight.
    """
    return name.endswith(SCALE) and name.removesuffix(SCALE) in names


def read_header(file: Path) -> dict[str, Stored]:
    """Return the dtypes and shapes of a file's weights by name, without the scales of int8 weights.

    The header is parsed as JSON. The safetensors library, which imports NumPy, is not needed.

    Raises:
        BundleError: the file cannot be read.
    """
    try:
        with file.open("rb") as opened:
            header = _read_json(file, opened)
        return {
            name: Stored(str(tensor["dtype"]), tuple(map(int, tensor["shape"])))
            for name, tensor in header.items()
            if name != "__metadata__" and not is_scale(name, header)
        }
    except BundleError:
        raise
    except OSError as error:
        raise BundleError(
            f"cannot read {file}: {error.strerror or error}. Check its permissions."
        ) from error
    except _MALFORMED as error:
        raise BundleError(
            f"{file} is not a complete safetensors file. Get the bundle again."
        ) from error


def _read_json(file: Path, opened: BinaryIO) -> Any:
    """Return the header of an open file."""
    length, size = int.from_bytes(opened.read(8), "little"), file.stat().st_size
    if MAX_HEADER < length <= size:
        raise BundleError(
            f"the header of {file} has {length:,} bytes; the limit is {MAX_HEADER:,}. "
            "Get the bundle again."
        )
    if length > size:
        raise BundleError(f"{file} is not a complete safetensors file. Get the bundle again.")
    try:
        return read_json(opened.read(length))
    except ValueError as error:
        raise BundleError(
            f"{file} is not a complete safetensors file: the header is not valid: "
            f"{shorten(str(error), 200)}. Get the bundle again."
        ) from error
