"""What is known of one image file, and of a few of them at once. Runs in worker processes."""

from __future__ import annotations

import hashlib
import io
import itertools
import os
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageOps

from ganzoo.data.survey.hashes import ImageHash, hash_image
from ganzoo.data.survey.zips import read_zipped
from ganzoo.errors import GanzooError, ImageFileError
from ganzoo.sampling.image_depth import ValueRange
from ganzoo.sampling.image_files import ImageHeader, check_file, decode_image, read_image
from ganzoo.sampling.image_fits import Fitting
from ganzoo.sampling.image_warnings import ImageNotes
from ganzoo.system.quiet import recorded_warnings

SIDE = 64  # pixels, of the mean image
GREY = 8  # levels by which the channels of an image without colour differ at most, after JPEG


class ImageRecord(NamedTuple):
    """The properties of one image file.

    Attributes:
        header: format, mode, bits and orientation.
        width: pixels, upright.
        height: pixels, upright.
        grey: whether the image has no colour.
        length: bytes of the file.
        digest: 16 bytes of the SHA-256 of the file's content.
        hash: see `hash_image`.
    """

    header: ImageHeader
    width: int
    height: int
    grey: bool
    length: int
    digest: bytes
    hash: ImageHash


class RecordBatch(NamedTuple):
    """The properties of a few image files.

    Attributes:
        records: one for each file, or the reason why the file cannot be read.
        total: sum of the images, uint16 (SIDE, SIDE, 3), each resized and cropped.
        seconds: processor time of reading and decoding.
        notes: the warnings about image files.
        warnings: class and text of each other warning.
    """

    records: list[ImageRecord | str]
    total: NDArray[np.uint16]
    seconds: float
    notes: ImageNotes
    warnings: list[tuple[type[Warning], str]]


def read_records(paths: Sequence[str], value_range: ValueRange | None) -> RecordBatch:
    """Read at most 257 image files as a training does, and return what they are."""
    total = np.zeros((SIDE, SIDE, 3), np.uint16)
    batch = RecordBatch([], total, 0.0, ImageNotes(), [])
    headers: list[ImageHeader] = []
    seconds = 0.0
    with recorded_warnings() as record:
        for path in paths:
            try:
                start = time.thread_time()
                with batch.notes.of_image():
                    content = _read_content(path)
                    image = _decode(path, content, value_range, headers.append)
                    seconds += time.thread_time() - start
                factor = max(1, min(image.size) // SIDE)
                small = image.reduce(factor)
                extent = (image.width / factor, image.height / factor)
                crop = ImageOps.fit(small, (SIDE, SIDE), Image.Resampling.BOX)
                batch.records.append(
                    ImageRecord(
                        headers.pop(),
                        *image.size,
                        _is_grey(crop),
                        len(content),
                        hashlib.sha256(content).digest()[:16],
                        hash_image(small, extent),
                    )
                )
                total += np.asarray(crop)
            except (GanzooError, OSError) as error:
                batch.records.append(str(error))
    texts = [(each.category, str(each.message)) for each in record]
    return batch._replace(seconds=seconds, warnings=list(dict.fromkeys(texts)))


def read_tile(
    path: str, value_range: ValueRange | None, fitting: Fitting
) -> NDArray[np.uint8] | None:
    """Return an image as a training reads it, uint8 (height, width, 3), or None."""
    with recorded_warnings():
        try:
            image = _decode(path, _read_content(path), value_range)
            return np.asarray(fitting.apply(image, path, path))
        except GanzooError:
            return None


def _read_content(path: str) -> bytes:
    """Return the content of an image file in a folder or in a zip.

    Raises:
        DataError, ImageFileError: as for `read_image` and `read_zipped`.
    """
    content = read_zipped(path)
    if content is None:
        check_file(path)
        with open(path, "rb") as file:
            content = file.read()
    return content


def _decode(
    path: str,
    content: bytes,
    value_range: ValueRange | None,
    look: Callable[[ImageHeader], None] | None = None,
) -> Image.Image:
    """Return an image from the content of its file, which is read once for all purposes."""
    try:
        return decode_image(io.BytesIO(content), "RGB", path, value_range, look)
    except ImageFileError:
        if os.path.isfile(path):  # the error about a path also explains a pointer of git-lfs
            return read_image(path, "RGB", value_range, look)
        raise


def _is_grey(image: Image.Image) -> bool:
    pairs = itertools.combinations(image.split(), 2)
    return all(np.asarray(ImageChops.difference(*pair)).max() <= GREY for pair in pairs)
