"""What a visitor draws or uploads, as a network reads it; measured before it is decoded."""

from __future__ import annotations

import base64
import binascii
import io
import re
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageChops

from ganzoo.errors import ImageFileError
from ganzoo.sampling.image_files import decode_image, fit_image
from ganzoo.sampling.images import ImageBatch
from ganzoo.spec import ImageSpec

MAX_BYTES = 20_000_000  # of an upload
MAX_PIXELS = 25_000_000  # decoding takes some ten bytes for each
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM")

_PREFIX = "data:image/png;base64,"
_ADVICE = re.compile("(Repair it or take|Take) it out")  # of a dataset


def open_upload(file: str | Path, mode: str = "RGB") -> Image.Image:
    """Return an uploaded picture upright, in a mode of PIL without alpha.

    Raises:
        ImageFileError: more than 20 MB or 25 megapixels, a format that is not read, or no picture.
    """
    path = Path(file)
    if path.stat().st_size > MAX_BYTES:
        raise ImageFileError(
            f"this file has {path.stat().st_size / 1e6:,.0f} MB, and at most {MAX_BYTES / 1e6:.0f} "
            "MB are read: upload a smaller one."
        )
    with path.open("rb") as opened:
        return _decode(opened, mode)


def read_drawing(url: Any, mode: str = "RGB") -> Image.Image:
    """Return a drawing that a browser's canvas wrote as a ``data:`` address of a PNG.

    Raises:
        ImageFileError: nothing was drawn, or it is no such address; as for `open_upload`.
    """
    if not url:
        raise ImageFileError("nothing is drawn yet: draw with the mouse or a finger, or upload.")
    if not isinstance(url, str) or not url.startswith(_PREFIX) or len(url) > MAX_BYTES:
        raise ImageFileError("what came is no drawing of this page: clear it and draw again.")
    try:
        content = base64.b64decode(url.removeprefix(_PREFIX), validate=True)
    except binascii.Error as error:
        raise ImageFileError("the drawing came damaged: clear it and draw again.") from error
    return _decode(io.BytesIO(content), mode)


def write_drawing(picture: Image.Image) -> str:
    """Return a picture as such an address, to be shown or drawn on."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return _PREFIX + base64.b64encode(buffer.getvalue()).decode()


def as_light_on_dark(picture: Image.Image) -> Image.Image:
    """Invert a picture in mode L whose border is light, such as ink on paper."""
    pixels = np.asarray(picture)
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    return ImageChops.invert(picture) if np.median(border) > 127 else picture


def centre(picture: Image.Image, side: int = 28) -> Image.Image:
    """Lay light ink on dark out as MNIST does, in mode L.

    The ink is scaled until it fills a box of 20/28 of the side, and its centre of mass put into
    the middle ("Gradient-Based Learning Applied to Document Recognition", LeCun et al., 1998,
    section III.A, https://doi.org/10.1109/5.726791).

    Raises:
        ImageFileError: there is no ink.
    """
    box = picture.point(lambda level: 255 if level > 32 else 0).getbbox()
    if box is None:
        raise ImageFileError("there is no light stroke on a dark ground in it: draw one.")
    ink = picture.crop(box)
    scale = side * 20 / 28 / max(ink.size)
    width, height = (max(1, round(length * scale)) for length in ink.size)
    ink = ink.resize((width, height), Image.Resampling.LANCZOS)
    weights = np.asarray(ink, np.float64)
    left = _start(weights.sum(axis=0), side)
    top = _start(weights.sum(axis=1), side)
    sheet = Image.new("L", (side, side))
    sheet.paste(ink, (left, top))
    return sheet


def as_input(picture: Image.Image, size: ImageSpec, *, centred: bool = False) -> ImageBatch:
    """Return a picture as the one image that a network of that size reads.

    Args:
        picture: in any mode of PIL without alpha.
        size: what the network reads.
        centred: whether to lay the ink out as `centre` does; of grey squares alone.

    Raises:
        ImageFileError: as for `centre`.
    """
    mode = "RGB" if size.channels == 3 else "L"
    if centred and is_centrable(size):
        fitted = centre(as_light_on_dark(picture.convert("L")), size.height)
    else:
        fitted = fit_image(picture.convert(mode), size.width, size.height)
    return ImageBatch(np.array(fitted).reshape(1, size.height, size.width, -1))


def is_centrable(size: ImageSpec) -> bool:
    """Whether images of that size may be digits laid out as in MNIST."""
    return size.channels == 1 and size.height == size.width


def _decode(file: BinaryIO, mode: str) -> Image.Image:
    try:
        with Image.open(file, formats=FORMATS) as picture:  # reads the header alone
            width, height = picture.size
    except Image.DecompressionBombError:
        raise ImageFileError(_too_large("far too many")) from None
    except (OSError, SyntaxError, ValueError) as error:
        raise ImageFileError(
            "this file is no picture that can be read: upload a PNG, a JPEG or a WebP."
        ) from error
    if width * height > MAX_PIXELS:
        raise ImageFileError(_too_large(f"{width:,}x{height:,}"))
    file.seek(0)
    try:
        return decode_image(file, mode, "that was uploaded")
    except ImageFileError as error:
        raise ImageFileError(_ADVICE.sub("Upload another", str(error))) from error


def _too_large(pixels: str) -> str:
    return (
        f"this picture has {pixels} pixels, and at most {MAX_PIXELS / 1e6:.0f} megapixels are "
        "read: upload a smaller one."
    )


def _start(weights: Any, side: int) -> int:
    """Where ink begins whose centre of mass lies in the middle, as far as it then stays inside."""
    middle = (weights * (np.arange(len(weights)) + 0.5)).sum() / weights.sum()
    return int(np.clip(round(side / 2 - middle), 0, side - len(weights)))
