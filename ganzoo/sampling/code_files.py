"""Files of codes: the inputs of a generator for images, such as one that resembles a photo.

A file holds ``styles`` (n, layers, dim), or ``z`` (n, latent_dim) and, if the model has classes,
``y`` (n,): float32, y int64.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ganzoo.errors import SampleError
from ganzoo.sampling.arrays import as_labels, as_latents
from ganzoo.sampling.latent_files import read_tensors, write_tensors
from ganzoo.sampling.samplers import Codes, Draw
from ganzoo.spec import ModelSpec
from ganzoo.spec.parsing import shorten


def write_codes(
    file: str | Path, codes: Codes, spec: ModelSpec, metadata: Mapping[str, str] | None = None
) -> Path:
    """Write codes of a model.

    Args:
        file: the file, whose name ends with ``.safetensors``.
        codes: the codes of one image or several.
        spec: the config of the model.
        metadata: more texts for the header; the model's name and weights are added.

    Raises:
        OutputError: the extension is another, or the file cannot be written.
        SampleError: the codes are not codes of the model.
    """
    arrays = {n: a for n, a in check_codes(codes, spec)._asdict().items() if a is not None}
    own = {"model": spec.name, "weights": spec.weights_id}
    return write_tensors(Path(file), "codes", arrays, {**(metadata or {}), **own})


def read_codes(file: str | Path, spec: ModelSpec) -> Codes:
    """Read codes of a model.

    Warns:
        UserWarning: the codes are of a model of this name with other weights.

    Args:
        file: the file.
        spec: the config of the model.

    Raises:
        SampleError: the file is missing, damaged or too large, is no file of codes, or has the
            codes of another model.
    """
    path, advice = Path(file), f"Write one with: ganzoo invert {spec.name} PHOTO"
    arrays, metadata = read_tensors(path, "codes", advice)
    model = metadata.get("model", spec.name)
    if model != spec.name:
        raise SampleError(
            f"{path} has codes of {shorten(model, 100)!r}, not of {spec.name!r}. Use that model. "
            f"{advice}"
        )
    if metadata.get("weights", spec.weights_id) != spec.weights_id:
        warnings.warn(
            f"{path} has codes of other weights of {spec.name!r}, whose images are others",
            stacklevel=3,
        )
    try:
        return check_codes(Codes(**arrays), spec)
    except SampleError as error:
        raise SampleError(f"{path}: {error}") from error


def first_of_file(file: str | Path, spec: ModelSpec, n: int) -> Codes:
    """Return the first code of a file `n` times; errors as `read_codes`."""
    return select(read_codes(file, spec), np.zeros(n, np.int64))


def codes_of_draw(file: str | Path, spec: ModelSpec, draw: Draw) -> Codes:
    """Return the codes of a file for images: image k has code k, and after the last the first.

    Raises:
        SampleError: as `read_codes`; or a seed or a label was passed, which the file determines.
    """
    if draw.seeds.any() or draw.labelled:
        raise SampleError(
            f"the images are those of {file}, so a seed or a label has no effect. Omit it."
        )
    return select(read_codes(file, spec), draw.numbers)


def check_codes(codes: Codes, spec: ModelSpec) -> Codes:
    """Return codes as float32 and int64.

    Raises:
        SampleError: an array has another shape or type than the model reads, or is not finite.
    """
    if codes.styles is not None:
        if spec.styles is None:
            raise SampleError(f"the codes are of w, and {spec.name!r} has no mapping network.")
        shape = (None, spec.styles.layers, spec.styles.dim)
        return Codes(styles=as_latents(codes.styles, shape, spec.name))
    assert spec.latent is not None  # guaranteed by the spec of a generator
    z = as_latents(codes.z, (None, spec.latent.dim), spec.name)
    if "y" in spec.inputs:
        return Codes(z, as_labels(codes.y, len(z), spec.data.classes, spec.name))
    if codes.y is not None:
        raise SampleError(f"the codes have classes, and {spec.name!r} has none.")
    return Codes(z)


def select(codes: Codes, rows: NDArray[np.int64]) -> Codes:
    """Return the codes of some images, by number; numbers beyond the last start again at 0."""
    z, y, styles = (None if array is None else array[rows % len(array)] for array in codes)
    return Codes(z, y, styles)  # type: ignore[arg-type]


def join(parts: list[Codes]) -> Codes:
    """Return the codes of several files of one model as one; all are of z, or all of w."""
    columns = zip(*parts, strict=True)
    z, y, styles = (None if a[0] is None else np.concatenate(a) for a in columns)
    return Codes(z, y, styles)


def count_codes(codes: Codes) -> int:
    """Return the number of images."""
    return max(len(array) for array in codes if array is not None)
