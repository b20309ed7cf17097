"""Files of codes: the inputs of a generator for images, such as one that resembles a photo.

A file is safetensors. It holds ``styles`` (n, layers, dim), or ``z`` (n, latent_dim) and, if the
model has classes, ``y`` (n,): float32, y int64. Its metadata names the model and
identifies its weights. Files of others are
untrusted: everything is checked before it reaches a network.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganzoo.bundle.files import write_file
from ganzoo.errors import OutputError, SampleError, enumerate_names
from ganzoo.sampling.arrays import as_labels, as_latents
from ganzoo.sampling.samplers import Codes
from ganzoo.spec import ModelSpec
from ganzoo.spec.parsing import shorten

SUFFIX = ".safetensors"
MAX_BYTES = 2**26  # 64 MiB: 1,800 codes of 18 layers of 512 numbers

_TYPES = {"styles": "F32", "z": "F32", "y": "I64"}  # as the format names them


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
    from safetensors.numpy import save

    path = check_extension(Path(file))
    arrays = {
        name: np.ascontiguousarray(array)
        for name, array in check_codes(codes, spec)._asdict().items()
        if array is not None
    }
    own = {"model": spec.name, "weights": spec.weights_id}
    write_file(path, save(arrays, {**(metadata or {}), **own}))
    return path


def read_codes(file: str | Path, spec: ModelSpec) -> Codes:
    """Read codes of a model.

    Args:
        file: the file.
        spec: the config of the model.

    Warns:
        UserWarning: the codes are of a model of this name with other weights.

    Raises:
        SampleError: the file is missing, damaged or too large, is no file of codes, or has the
            codes of another model.
    """
    path = Path(file)
    arrays, metadata = _read(path)
    if set(arrays) not in ({"styles"}, {"z"}, {"z", "y"}):
        raise SampleError(
            f"{path} is no file of codes: its tensors are "
            f"{shorten(enumerate_names(arrays), 200)}, not 'styles', or 'z' with or without 'y'. "
            f"{_advice(spec)}"
        )
    model = metadata.get("model", spec.name)
    if model != spec.name:
        raise SampleError(
            f"{path} has codes of {shorten(model, 100)!r}, not of {spec.name!r}. Use that model. "
            f"{_advice(spec)}"
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


def count_codes(codes: Codes) -> int:
    """Return the number of images."""
    return max(len(array) for array in codes if array is not None)


def check_extension(path: Path) -> Path:
    """Return the path of a new file of codes.

    Raises:
        OutputError: its extension is not that of safetensors.
    """
    if path.suffix != SUFFIX:
        raise OutputError(f"cannot write codes as {path.name!r}. Use the extension {SUFFIX}.")
    return path


def _read(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Return the tensors and the metadata of a file."""
    from safetensors import SafetensorError, safe_open

    if not path.is_file():  # to open a pipe would wait for a writer
        raise SampleError(f"file of codes not found: {path}. Check the path.")
    try:
        if (size := path.stat().st_size) > MAX_BYTES:
            raise SampleError(
                f"{path} has {size:,} bytes; a file of codes has up to {MAX_BYTES:,}. Check the "
                "path."
            )
        with safe_open(path, framework="np") as file:
            names = list(file.keys())
            for name in names:
                dtype = file.get_slice(name).get_dtype()
                if dtype != _TYPES.get(name, dtype):
                    raise SampleError(
                        f"{path} is no file of codes: its tensor {name!r} is of type {dtype}, not "
                        f"{_TYPES[name]}. Check the path."
                    )
            # Other tensors may be of types that NumPy lacks.
            arrays = {name: file.get_tensor(name) if name in _TYPES else None for name in names}
            return arrays, file.metadata() or {}  # type: ignore[return-value]
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())[:200]
        raise SampleError(
            f"cannot read codes from {path}: {reason}. Check that it is a complete safetensors "
            "file."
        ) from error


def _advice(spec: ModelSpec) -> str:
    return f"Write one with: ganzoo invert {spec.name} PHOTO"
