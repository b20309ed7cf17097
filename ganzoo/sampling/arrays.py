"""Arrays that users pass to a model, checked and converted, the same for every runtime."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganzoo.errors import SampleError


def as_latents(z: Any, shape: tuple[int | None, ...], name: str) -> NDArray[np.float32]:
    """Return latents as float32.

    Args:
        z: numbers of any real type: an array, a list or a CPU tensor.
        shape: the shape that the model reads, with None for any length.
        name: the model's name.

    Raises:
        SampleError: the latents are no numbers, have another shape, or hold NaN or infinity.
    """
    array = _as_array("latents", z)
    if array.dtype.kind not in "fiu":
        raise SampleError(
            f"the latents are of type {array.dtype}; {name!r} reads numbers. Pass float32."
        )
    fits = array.ndim == len(shape) and len(array)
    if not fits or any(n not in (None, m) for n, m in zip(shape, array.shape, strict=True)):
        expected = ", ".join("n" if n is None else str(n) for n in shape)
        raise SampleError(
            f"the latents have shape {array.shape}; {name!r} reads shape ({expected}"
            f"{',' * (len(shape) == 1)})."
        )
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        latents = array.astype(np.float32)
    finite = np.isfinite(latents)
    if not finite.all():
        place = tuple(int(k) for k in np.argwhere(~finite)[0])
        raise SampleError(
            f"the latents hold {array[place]} at {list(place)}. Pass numbers that are finite in "
            "float32."
        )
    return latents


def as_labels(y: Any, n: int, classes: int, name: str) -> NDArray[np.int64]:
    """Return class labels as int64, one for each latent.

    Args:
        y: whole numbers (n,): an array, a list or a CPU tensor; None if there are none.
        n: number of latents.
        classes: number of classes.
        name: the model's name.

    Raises:
        SampleError: the labels are no whole numbers, have another length, or are out of range.
    """
    array = None if y is None else _as_array("labels", y)
    if array is None or array.shape != (n,) or array.dtype.kind not in "iu":
        raise SampleError(f"{name!r} reads one label per latent. Pass y of whole numbers, (n,).")
    wrong = array[(array < 0) | (array >= classes)]
    if wrong.size:
        raise SampleError(f"{name!r} has no class {wrong[0]}: labels are 0 to {classes - 1}.")
    return array.astype(np.int64)


def as_pixels(
    images: Any,
    shape: tuple[int, int | None, int | None],
    name: str,
    types: tuple[str, ...] = ("uint8",),
) -> NDArray[Any]:
    """Return images as an array.

    Args:
        images: (n, height, width, channels): an array, a list or a CPU tensor.
        shape: the channels, height and width that the model reads, with None for any length.
        name: the model's name.
        types: names of the types of the array.

    Raises:
        SampleError: there are no images, or they have another type or size.
    """
    pixels = _as_array("images", images)
    channels, *size = shape
    expected = (*size, channels)
    fits = pixels.ndim == 4 and all(
        n in (None, m) for n, m in zip(expected, pixels.shape[1:], strict=True)
    )
    if pixels.dtype.name not in types or not fits or not pixels.size:
        sides = [str(n or side) for n, side in zip(size, ("height", "width"), strict=True)]
        raise SampleError(
            f"the images are {pixels.dtype} {pixels.shape}; {name!r} reads "
            f"{' or '.join(types)} (n, {', '.join(sides)}, {channels})."
        )
    return pixels


def _as_array(kind: str, values: Any) -> NDArray[Any]:
    if hasattr(values, "detach"):  # a tensor of torch, which this module does not import
        values = values.detach()
    try:
        return np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise SampleError(
            f"the {kind} are a {type(values).__name__} that is no array: "
            f"{' '.join(str(error).split())[:200]} Pass a NumPy array."
        ) from error
