"""Files of safetensors of whoever wrote them: names, shapes and types of what they hold."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Container, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ganzoo.errors import BundleError

MAX_HEADER = 2**23  # bytes, 8 MiB; the library reads 100 MB, and parsed it takes many times as much
SCALE = ".scale"  # ends the name of the float32 numbers that a tensor of int8 is multiplied by

# What JSON of a stranger may raise that is not what it should be.
_MALFORMED = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)


class Stored(NamedTuple):
    """A tensor as a file stores it.

    Attributes:
        dtype: as the format names it, such as ``F16``.
        shape: its dimensions.
    """

    dtype: str
    shape: tuple[int, ...]


@contextlib.contextmanager
def open_tensors(file: Path) -> Iterator[Any]:
    """Open a file of safetensors, of which so far no more than the header is read.

    Its tensors are torch's.

    Raises:
        BundleError: it cannot be read; its header is too long or none, or its tensors overlap or
            lie outside the file.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with file.open("rb") as opened:
            _check_length(file, int.from_bytes(opened.read(8), "little"))
        with safe_open(file, framework="pt") as tensors:
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

    The header is read as the JSON that it is, without the library and the NumPy that it imports:
    lists of models do so.

    Raises:
        BundleError: it cannot be read.
    """
    try:
        with file.open("rb") as opened:
            _check_length(file, header := int.from_bytes(opened.read(8), "little"))
            said = json.loads(opened.read(header))
        return {
            name: Stored(str(tensor["dtype"]), tuple(map(int, tensor["shape"])))
            for name, tensor in said.items()
            if name != "__metadata__" and not is_scale(name, said)
        }
    except OSError as error:
        raise BundleError(f"{file} cannot be read: {error.strerror or error}.") from error
    except _MALFORMED as error:
        raise BundleError(f"{file} is not a whole safetensors file. Get it again.") from error


def _check_length(file: Path, header: int) -> None:
    size = file.stat().st_size
    if MAX_HEADER < header <= size:
        raise BundleError(
            f"the header of {file} has {header:,} bytes, at most {MAX_HEADER:,} are read. "
            "Get the bundle again."
        )
    if header > size:
        raise BundleError(f"{file} is not a whole safetensors file. Get it again.")
