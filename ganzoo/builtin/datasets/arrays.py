"""Images in an array of NumPy's file formats."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ganzoo import DataSpec, ImageSpec
from ganzoo.builtin.image_files.array_images import ArrayImages, check_sides
from ganzoo.builtin.image_files.labels import check_form, check_labels
from ganzoo.builtin.image_files.one_file import find_file
from ganzoo.builtin.image_files.stored_arrays import ArrayHeader, StoredArray, read_headers
from ganzoo.errors import DataError, DataNotFoundError, quantity
from ganzoo.sampling.image_depth import REMEDY, ValueRange, check_value_range
from ganzoo.sampling.image_folders import describe_empty
from ganzoo.sampling.image_options import ImageOptions, with_image_options

Layout = Literal["auto", "nhw", "nhwc", "nchw"]

_CHANNELS = (1, 3)


@with_image_options(
    size=0, before="value_range", name="its number", sides="; 0 keeps the size in the array"
)
def arrays(
    root: Path | None,
    options: ImageOptions,
    *,
    images: str = "",
    labels: str = "",
    layout: Layout = "auto",
    value_range: tuple[float, ...] = (),
    skip_corrupt: bool = False,
) -> tuple[ArrayImages, DataSpec]:
    """Images in an array of an .npy or .npz file, with 1 or 3 channels.

    The array is uint8, or has the values of black and white in `value_range`. Its dimensions are
    (n, height, width), (n, height, width, channels) or (n, channels, height, width). An .npy file,
    and an .npz file without compression, is memory-mapped; compressed arrays are read into memory.
    The checksums of compressed arrays of an .npz file, and of others up to 2 GiB, are compared.
    Python objects in a file are never read.

    Args:
        root: the file, or a folder with one such file. Nothing is written to it.
        images: key of the images in an .npz file; by default the only array of 3 or 4 dimensions.
        labels: key of the class numbers in an .npz file, or name of an .npy file beside the images:
            integers (n,) or (n, 1). Empty for no labels.
        layout: order of the dimensions: ``nhw``, ``nhwc``, ``nchw``, or ``auto``, which finds the
            channels by their number: 1 or 3 in the second or in the last dimension of four.
        value_range: the values of black and white, such as 0 1 for floats; others become black or
            white.
        skip_corrupt: replace an image with NaN or infinite values by the next one without.

    Raises:
        DataNotFoundError: the file does not exist, or has no such array.
        DataError: an argument is not valid, the file is damaged, the layout is ambiguous, or the
            values are not uint8 and no range is set.
    """
    fitting = options.fitting("arrays") if options.size else None
    ends = check_value_range("arrays", value_range)
    path = find_file("arrays", root, (".npz", ".npy"))
    headers = read_headers(path)
    header = _find_images(headers, images, path)
    _check_type(header, ends)
    order, height, width, channels = _find_layout(header, layout)
    check_sides(height, width, header.where)
    final = (fitting.height, fitting.width) if fitting else (height, width)
    numbers = _read_labels(headers, labels, header)
    classes = int(numbers.max()) + 1 if labels else 0
    spec = DataSpec(
        ImageSpec(*final, channels),
        classes=classes,
        origin=f"{quantity(len(numbers), 'image')} in the file {path.name!r}{options.flipped}",
    )
    dataset = ArrayImages(
        StoredArray(header),
        order,
        (height, width),
        numbers,
        fitting,
        channels,
        name=header.where,
        facts=(header.name, header.shape, header.dtype.str),
        value_range=ends,
        remedy=REMEDY,
        skip_corrupt=skip_corrupt,
        flip=options.flip,
    )
    in_classes = (
        f"in {quantity(classes, 'class')}{describe_empty(classes, numbers)}"
        if classes
        else "without classes"
    )
    dataset.file_counts = (
        f"{quantity(len(numbers), 'image')} {in_classes}{options.flipped}; layout: {order}"
    )
    return dataset, spec


def _find_images(headers: Sequence[ArrayHeader], key: str, path: Path) -> ArrayHeader:
    listing = ", ".join(f"{h.name} {h.shape} {h.dtype}" for h in headers) or "none"
    if key:
        chosen = [header for header in headers if header.name == key]
    else:
        chosen = [header for header in headers if len(header.shape) in (3, 4)]
    if not chosen:
        wanting = f"no array {key!r}" if key else "no array of 3 or 4 dimensions"
        raise DataNotFoundError(
            f"{path} has {wanting}. Its arrays: {listing}. Name one with --dataset.images KEY."
        )
    if len(chosen) > 1:
        raise DataError(
            f"{path} has several arrays that could be the images: {listing}. Name one with "
            f"--dataset.images {chosen[0].name}."
        )
    if chosen[0].shape[:1] == (0,):
        raise DataError(f"{chosen[0].where} has no images. Pass another file with --data FILE.")
    return chosen[0]


def _check_type(header: ArrayHeader, ends: ValueRange | None) -> None:
    if header.dtype.hasobject:
        raise DataError(
            f"{header.where} holds Python objects. They are pickled, so to read them could run any "
            "program; ganzoo does not read them. Save the images as an array of uint8."
        )
    if header.dtype.kind not in "uif" or (ends is None and header.dtype != np.uint8):
        advice = (
            "State the values of black and white, such as --dataset.value-range 0 1, or save the "
            "images as uint8."
            if header.dtype.kind in "uif"
            else "Save the images as uint8."
        )
        raise DataError(f"{header.where} has values of type {header.dtype}, not uint8. {advice}")


def _find_layout(header: ArrayHeader, layout: Layout) -> tuple[str, int, int, int]:
    """Return the layout, and the height, width and channels of the images."""
    shape = header.shape
    fits = {
        "nhw": len(shape) == 3,
        "nhwc": len(shape) == 4 and shape[3] in _CHANNELS,
        "nchw": len(shape) == 4 and shape[1] in _CHANNELS,
    }
    chosen = [name for name in fits if fits[name] and layout in ("auto", name)]
    if not chosen:
        contrast = "" if layout == "auto" else f", which is not {layout}"
        raise DataError(
            f"{header.where} has the shape {shape}{contrast}. Images are (n, height, width), "
            "(n, height, width, channels) or (n, channels, height, width), with 1 or 3 channels."
        )
    if len(chosen) > 1:
        raise DataError(
            f"{header.where} has the shape {shape}, so the channels could be in the second or in "
            "the last dimension. Name the layout: --dataset.layout nhwc or --dataset.layout nchw."
        )
    match chosen[0]:
        case "nhw":
            return "nhw", shape[1], shape[2], 1
        case "nhwc":
            return "nhwc", shape[1], shape[2], shape[3]
        case _:
            return "nchw", shape[2], shape[3], shape[1]


def _read_labels(
    headers: Sequence[ArrayHeader], key: str, images: ArrayHeader
) -> NDArray[np.int64]:
    count = images.shape[0]
    if not key:
        return np.zeros(count, np.int64)
    if images.member:
        chosen = [header for header in headers if header.name == key]
    else:
        file = images.path.parent / key
        if Path(key).name != key or file.suffix.lower() != ".npy" or not file.is_file():
            raise DataNotFoundError(
                f"the labels {key!r} are no .npy file in {images.path.parent}. Put the file beside "
                "the images, and pass its name with --dataset.labels."
            )
        chosen = read_headers(file)
    if not chosen:
        names = ", ".join(header.name for header in headers)
        raise DataNotFoundError(
            f"{images.path} has no array {key!r}. Its arrays: {names}. Name that of the class "
            "numbers with --dataset.labels KEY."
        )
    check_form(chosen[0].shape, chosen[0].dtype, count, chosen[0].where)
    return check_labels(chosen[0].read(), count, chosen[0].where)
