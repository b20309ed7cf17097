"""Compare a model with the images of the program that it comes from."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
from numpy.typing import NDArray

from ganzoo.bundle.files import sha256
from ganzoo.errors import ImportFileError
from ganzoo.exporters.parity import ROUNDINGS, rounding_of
from ganzoo.runtimes.torch import TorchModel
from ganzoo.spec.parsing import shorten

TOLERANCE = 1e-4  # of images in [-1, 1]
IMAGES = "images"
REFERENCE = "reference"  # key of the comparison in the provenance of an import

MAX_BYTES = 2**30  # of the unpacked arrays of a reference


def compare(model: TorchModel, reference: Path) -> dict[str, Any]:
    """Compare a model's images with those that another program made of the same inputs.

    Args:
        model: the model.
        reference: a .npz file with the model's inputs by name and ``images``, float (n, channels,
            height, width). Black is -1 and white is 1; numbers beyond are clamped, as those of the
            model are.

    Returns:
        Name and digest of the file, the number of images, the largest difference, and the limit.

    Raises:
        ImportFileError: the file is not valid, or the images differ by more than 1e-4 and by more
            than four times the rounding errors of the model, which some weights enlarge.
    """
    arrays = _read(reference)
    names = {*model.spec.inputs, IMAGES}
    if arrays.keys() != names:
        held = shorten(", ".join(sorted(arrays)))
        raise ImportFileError(
            f"{reference} holds {held}; the model needs {', '.join(sorted(names))}. Save these "
            "arrays with numpy.savez."
        )
    _check(reference, arrays)
    images = arrays.pop(IMAGES)
    inputs = {
        name: arrays[name].astype(np.int64 if name == "y" else np.float32)
        for name in model.spec.inputs
    }
    try:
        actual = model.run(inputs)
    except (RuntimeError, ValueError, IndexError) as error:
        raise ImportFileError(
            f"{reference} does not fit the model's inputs: {' '.join(str(error).split())[:200]}"
        ) from error
    if actual.shape != images.shape:
        raise ImportFileError(
            f"{reference} has images of shape {images.shape}; the model makes {actual.shape}."
        )
    difference = float(np.abs(actual - images.clip(-1, 1)).max())
    tolerance = TOLERANCE
    if difference > TOLERANCE:
        tolerance = max(TOLERANCE, ROUNDINGS * rounding_of(model, inputs))
    if not difference <= tolerance:
        raise ImportFileError(
            f"the images differ from those of {reference} by {difference:.3g}, but at most "
            f"{tolerance:.3g} is rounding. Nothing was imported. The file must hold images in "
            "[-1, 1] of the same weights, in eval mode, with the same noise."
        )
    return {
        "file": reference.name,
        "sha256": sha256(reference),
        "images": len(images),
        "max_abs_error": difference,
        "tolerance": tolerance,
    }


def _check(reference: Path, arrays: dict[str, NDArray[Any]]) -> None:
    """Raise if the arrays are no finite real numbers, one row for each image."""
    if wrong := [name for name, array in arrays.items() if array.dtype.kind not in "fiu"]:
        raise ImportFileError(
            f"{reference} holds {wrong[0]} of type {arrays[wrong[0]].dtype}. Save real numbers."
        )
    shapes = {array.shape[:1] for array in arrays.values()}
    if len(shapes) > 1 or shapes & {(), (0,)}:
        raise ImportFileError(f"{reference} has arrays of different lengths, or empty ones.")
    if infinite := [name for name, array in arrays.items() if not np.isfinite(array).all()]:
        raise ImportFileError(
            f"{reference} holds {infinite[0]} with NaN or infinite values. Save finite numbers."
        )
    labels = arrays.get("y")
    if labels is not None and not np.array_equal(labels, np.trunc(labels)):
        raise ImportFileError(
            f"{reference} holds labels y that are no whole numbers, such as "
            f"{float(labels[labels != np.trunc(labels)][0]):g}. Save the numbers of the classes."
        )


def _read(reference: Path) -> dict[str, NDArray[Any]]:
    if not reference.is_file():  # a pipe would wait for a writer
        raise ImportFileError(f"{reference} is not a file. Pass one of numpy.savez.")
    try:
        with ZipFile(reference) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size <= MAX_BYTES:
            with np.load(reference, allow_pickle=False) as file:
                return {name: file[name] for name in file.files}
    except PermissionError as error:
        raise ImportFileError(
            f"cannot read the reference {reference}: {error.strerror}."
        ) from error
    except Exception as error:  # the reader of a damaged file may raise anything
        # NumPy's own message may advise to load a pickle.
        raise ImportFileError(
            f"the reference {reference} is not an archive of arrays. Save it with numpy.savez."
        ) from error
    raise ImportFileError(
        f"the arrays of {reference} have {size:,} bytes; the limit is {MAX_BYTES:,}. Save fewer "
        "images."
    )
