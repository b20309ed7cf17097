"""Read drawings and uploaded image files; their size is checked before they are decoded."""

from __future__ import annotations

import base64
import binascii
import contextlib
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops

from ganzoo.errors import ImageFileError
from ganzoo.sampling.image_files import decode_image, fit_image, read_with_metadata
from ganzoo.sampling.images import ImageBatch
from ganzoo.spec import ImageSpec

MAX_BYTES = 20_000_000  # of an uploaded file
MAX_PIXELS = 25_000_000  # decoding needs about ten bytes per pixel
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM")

UPLOAD = "that was uploaded"  # name of an image in errors and warnings
_PREFIX = "data:image/png;base64,"
# Advice for image files of a dataset.
_ADVICE = re.compile("((Repair|Replace) it or remove|Use a larger image, or remove) it")


def open_upload(file: str | Path, mode: str = "RGB") -> Image.Image:
    """Return an uploaded image, rotated upright, in a mode of PIL without alpha.

    Raises:
        ImageFileError: the file has more than 20 MB or 25 megapixels, is not an image, or has an
            unsupported format.
    """
    path = _check_bytes(file)
    with path.open("rb") as stream:
        return _decode(stream, mode)


def read_upload(file: str | Path) -> NDArray[np.uint8]:
    """Return an uploaded image upright, of any size, (height, width, channels), with alpha if any.

    Raises:
        ImageFileError: as for `open_upload`.
    """
    path = _check_bytes(file)
    with path.open("rb") as stream, _naming_upload():
        _check_header(stream)
        pixels = read_with_metadata(path).pixels
    return pixels if pixels.dtype == np.uint8 else np.rint(pixels / 257).astype(np.uint8)


def canvas_size(size: ImageSpec, side: int) -> tuple[int, int]:
    """Return width and height of a canvas with the shape of an image.

    Args:
        size: the image.
        side: the canvas's longer side in pixels.
    """
    scale = side / max(size.width, size.height)
    return max(1, round(size.width * scale)), max(1, round(size.height * scale))


def move_upload(file: str | Path, width: int, height: int) -> str:
    """Return an uploaded image as the URL of a drawing of this size, and delete the file.

    Raises:
        ImageFileError: as for `open_upload`; the file is deleted, too.
    """
    try:
        return write_drawing(fit_image(open_upload(file), width, height, UPLOAD))
    finally:
        Path(file).unlink(missing_ok=True)


def read_drawing(url: Any, mode: str = "RGB") -> Image.Image:
    """Return the image of a canvas from its ``data:`` URL of a PNG.

    Raises:
        ImageFileError: the canvas is empty, or the URL or its image is invalid.
    """
    if not url:
        raise ImageFileError(
            "the canvas is empty. Draw with the mouse or a finger, or upload an image."
        )
    if not isinstance(url, str) or not url.startswith(_PREFIX) or len(url) > MAX_BYTES:
        raise ImageFileError("the drawing is not a PNG of this page. Clear it and draw again.")
    try:
        content = base64.b64decode(url.removeprefix(_PREFIX), validate=True)
    except binascii.Error as error:
        raise ImageFileError("the drawing is damaged. Clear it and draw again.") from error
    return _decode(io.BytesIO(content), mode)


def write_drawing(image: Image.Image) -> str:
    """Return an image as a ``data:`` URL of a PNG."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return _PREFIX + base64.b64encode(buffer.getvalue()).decode()


def as_light_on_dark(image: Image.Image) -> Image.Image:
    """Invert an image in mode L if its border is light, such as ink on paper."""
    pixels = np.asarray(image)
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    return ImageChops.invert(image) if np.median(border) > 127 else image


def centre(image: Image.Image, side: int = 28) -> Image.Image:
    """Scale and centre light ink on a dark background like MNIST, in mode L.

    The ink is scaled to fit a box of 20/28 of the side, and its centre of mass is moved to the
    middle ("Gradient-Based Learning Applied to Document Recognition", LeCun et al., 1998,
    section III.A, https://doi.org/10.1109/5.726791).

    Raises:
        ImageFileError: the image has no ink.
    """
    box = image.point(lambda level: 255 if level > 32 else 0).getbbox()
    if box is None:
        raise ImageFileError("the image has no light stroke on a dark background. Draw one.")
    ink = image.crop(box)
    scale = side * 20 / 28 / max(ink.size)
    width, height = (max(1, round(length * scale)) for length in ink.size)
    ink = ink.resize((width, height), Image.Resampling.LANCZOS)
    weights = np.asarray(ink, np.float64)
    left = _start(weights.sum(axis=0), side)
    top = _start(weights.sum(axis=1), side)
    sheet = Image.new("L", (side, side))
    sheet.paste(ink, (left, top))
    return sheet


def as_input(image: Image.Image, size: ImageSpec, *, centred: bool = False) -> ImageBatch:
    """Return an image as a batch of one, in the size that a network reads.

    Args:
        image: an image in any mode of PIL without alpha.
        size: the network's input size.
        centred: whether to scale and centre the ink with `centre`; ignored for colour images and
            images that are not square.

    Raises:
        ImageFileError: as for `centre`.
    """
    mode = "RGB" if size.channels == 3 else "L"
    if centred and is_centrable(size):
        resized = centre(as_light_on_dark(image.convert("L")), size.height)
    else:
        resized = fit_image(image.convert(mode), size.width, size.height, UPLOAD)
    return ImageBatch(np.array(resized).reshape(1, size.height, size.width, -1))


def is_centrable(size: ImageSpec) -> bool:
    """Return whether images of this size may be centred digits like MNIST's."""
    return size.channels == 1 and size.height == size.width


def _check_bytes(file: str | Path) -> Path:
    path = Path(file)
    if path.stat().st_size > MAX_BYTES:
        raise ImageFileError(
            f"this file has {path.stat().st_size / 1e6:,.0f} MB, and the limit is "
            f"{MAX_BYTES / 1e6:.0f} MB. Upload a smaller one."
        )
    return path


def _check_header(file: BinaryIO) -> None:
    try:
        with Image.open(file, formats=FORMATS) as image:  # reads only the header
            width, height = image.size
    except Image.DecompressionBombError:
        raise ImageFileError(_too_large("too many")) from None
    except Exception as error:
        raise ImageFileError(
            "this file is not an image in a supported format. Upload a PNG, JPEG or WebP file."
        ) from error
    if width * height > MAX_PIXELS:
        raise ImageFileError(_too_large(f"{height:,}x{width:,}"))


def _decode(file: BinaryIO, mode: str) -> Image.Image:
    _check_header(file)
    file.seek(0)
    with _naming_upload():
        return decode_image(file, mode, UPLOAD)


@contextlib.contextmanager
def _naming_upload() -> Iterator[None]:
    """Give errors of a file of a dataset the advice for an upload."""
    try:
        yield
    except ImageFileError as error:
        raise ImageFileError(_ADVICE.sub("Upload another", str(error))) from error


def _too_large(pixels: str) -> str:
    return (
        f"this image has {pixels} pixels, and the limit is {MAX_PIXELS / 1e6:.0f} megapixels. "
        "Upload a smaller one."
    )


def _start(weights: Any, side: int) -> int:
    """Return where ink starts if its centre of mass is in the middle, clipped to the image."""
    middle = (weights * (np.arange(len(weights)) + 0.5)).sum() / weights.sum()
    return int(np.clip(round(side / 2 - middle), 0, side - len(weights)))
