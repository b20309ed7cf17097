"""Files of codes and of directions: what both have in common.

A file is safetensors, with the name of the model and a digest in its metadata. Files of others are
untrusted: the names and types of tensors are checked here, their shapes and values by the modules
of both.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ganzoo.bundle.files import write_file
from ganzoo.bundle.sealing import KEY, check_seal, seal
from ganzoo.bundle.tensors import open_tensors
from ganzoo.errors import BundleError, OutputError, SampleError, enumerate_names, shell_word
from ganzoo.spec.parsing import shorten

Kind = Literal["codes", "directions"]

SUFFIX = ".safetensors"
MAX_BYTES = 2**26  # 64 MiB: 1,800 codes of 18 layers of 512 numbers

# The tensors of each kind, with the types that the format names; and which of them occur together.
TYPES: dict[Kind, dict[str, str]] = {
    "codes": {"styles": "F32", "z": "F32", "y": "I64"},
    "directions": {"directions": "F32", "scales": "F32", "layers": "I64"},
}
LAYOUTS: dict[Kind, Sequence[Collection[str]]] = {
    "codes": (("styles",), ("z",), ("z", "y")),
    "directions": (("directions", "scales"), ("directions", "scales", "layers")),
}


def check_extension(path: Path, kind: Kind) -> Path:
    """Return the path of a new file.

    Raises:
        OutputError: its extension is not ``.safetensors``.
    """
    if path.suffix.lower() != SUFFIX:
        raise OutputError(
            f"cannot write {kind} as {path.name!r}: the extension is not {SUFFIX}. Use for "
            f"example -o {shell_word(path.stem or kind)}{SUFFIX}."
        )
    return path


def write_tensors(
    path: Path, kind: Kind, arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, str]
) -> Path:
    """Write a file.

    Raises:
        OutputError: the file cannot be written, or has another extension.
    """
    from safetensors.numpy import save

    check_extension(path, kind)
    # The library writes the memory of an array, which a transposed one has in another order.
    rows = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    write_file(path, b"".join(seal(save(rows, dict(metadata)))))
    return path


def read_tensors(
    path: Path, kind: Kind, advice: str
) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Return the tensors and the metadata of a file.

    Args:
        path: the file.
        kind: what it has.
        advice: how to write such a file, for messages.

    Raises:
        SampleError: the file is missing, damaged or too large, has other tensors, or does not
            match its digest.
    """
    if not path.is_file():  # to open a pipe would wait for a writer
        raise SampleError(f"file of {kind} not found: {path}. {advice}")
    if (size := path.stat().st_size) > MAX_BYTES:
        raise SampleError(
            f"{path} has {size:,} bytes; a file of {kind} has up to {MAX_BYTES:,}. {advice}"
        )
    try:
        with open_tensors(path, "np") as tensors:
            names = list(tensors.keys())
            _check_tensors(path, kind, names, tensors, advice)
            arrays = {n: tensors.get_tensor(n) for n in names}
            metadata = dict(tensors.metadata() or {})
    except BundleError as error:  # whose advice is about bundles
        reason = getattr(error.__cause__, "strerror", None)
        raise SampleError(
            f"cannot read {kind} from {path}: {reason or 'it is not a complete safetensors file'}. "
            f"{advice}"
        ) from error
    if metadata.pop(KEY, None):  # files of other programs have no digest
        try:
            check_seal(path)
        except (OSError, ValueError) as error:
            raise SampleError(f"{path} is damaged: {error}. {advice}") from error
    return arrays, metadata


def _check_tensors(path: Path, kind: Kind, names: list[str], tensors: Any, advice: str) -> None:
    if {*names} not in [{*layout} for layout in LAYOUTS[kind]]:
        expected = ", or ".join(" and ".join(map(repr, layout)) for layout in LAYOUTS[kind])
        raise SampleError(
            f"{path} is no file of {kind}: its tensors are "
            f"{shorten(enumerate_names(names), 200)}, not {expected}. {advice}"
        )
    for name in names:
        dtype = tensors.get_slice(name).get_dtype()
        if dtype != TYPES[kind][name]:
            raise SampleError(
                f"{path} is no file of {kind}: its tensor {name!r} is of type {dtype}, not "
                f"{TYPES[kind][name]}. {advice}"
            )
