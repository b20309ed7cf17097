"""Read image files upright, with eight bits per channel or as they are."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageFile, ImageOps, UnidentifiedImageError

from ganzoo.errors import DataError, ImageFileError
from ganzoo.sampling.file_formats import CONVERTIBLE, HEAD, name_format
from ganzoo.sampling.image_depth import (
    ValueRange,
    correct_transparency,
    count_bits,
    is_deep,
    is_opaque,
    read_sixteen_bits,
    to_eight_bits,
)
from ganzoo.sampling.image_warnings import ImageFileWarning, count_image, warn_of_image
from ganzoo.spec.lfs import explain_pointer
from ganzoo.system.memory import free_host_memory
from ganzoo.system.quiet import ignored_warnings

SMALLEST = 8  # pixels, the minimum width and height
MAX_EXIF = 65_527  # bytes, by JPEG's format
LARGE = 2**26  # pixels from which the free memory is checked
BYTES_PER_PIXEL = 12  # while a file is read: decoded, converted, and as an array

_GREY_MODES = frozenset(["1", "L", "LA", "La", "F"])  # besides those of integers
_OTHER_COLOURS = frozenset(["CMYK", "YCbCr", "LAB", "HSV"])
_MODES_OF_PROFILES = ("L", "LA", "P", "PA", "RGB", "RGBA")
_UPRIGHT = {  # the change that turns an image upright, by the EXIF tag Orientation
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_TURNS: dict[Image.Transpose, Callable[[NDArray[Any]], NDArray[Any]]] = {  # of arrays
    Image.Transpose.FLIP_LEFT_RIGHT: np.fliplr,
    Image.Transpose.ROTATE_180: lambda pixels: pixels[::-1, ::-1],
    Image.Transpose.FLIP_TOP_BOTTOM: np.flipud,
    Image.Transpose.TRANSPOSE: lambda pixels: pixels.swapaxes(0, 1),
    Image.Transpose.ROTATE_270: lambda pixels: np.rot90(pixels, -1),
    Image.Transpose.TRANSVERSE: lambda pixels: pixels[::-1, ::-1].swapaxes(0, 1),
    Image.Transpose.ROTATE_90: np.rot90,
}


class ImageHeader(NamedTuple):
    """The properties of an image file, besides its pixels.

    Attributes:
        format: PIL's name of the format.
        mode: PIL's name of the mode.
        bits: bits per channel.
        turned: whether the EXIF tag Orientation turns or mirrors the image.
    """

    format: str
    mode: str
    bits: int
    turned: bool


class PartialImageWarning(ImageFileWarning):
    """An image file of which only a part is read."""

    count = "of several frames or pages (first only)"


class CompletedImageWarning(PartialImageWarning):
    """An image file whose missing part, if any, becomes grey."""

    count = ""


class ColourSpaceWarning(ImageFileWarning):
    """An image file of other colours, such as CMYK, that becomes RGB without its profile."""


class CropWarning(ImageFileWarning):
    """An image that loses half of its pixels or more to a crop."""

    count = "cropped by half or more"


def read_image(
    file: str | Path,
    mode: str = "RGB",
    value_range: ValueRange | None = None,
    look: Callable[[ImageHeader], None] | None = None,
    background: str = "white",
) -> Image.Image:
    """Return an image file upright, in a PIL mode without alpha.

    Args:
        file: path of the file.
        mode: ``RGB``, or ``L`` for grey.
        value_range: the values of black and white in a grey file, for formats that do not define
            them, such as float TIFFs.
        look: called with the properties of the file, if it can be read.
        background: colour behind transparent pixels.

    Warns:
        PartialImageWarning: the file holds several images, and only the first is read.
        NarrowRangeWarning: as for `to_eight_bits`.

    Raises:
        DataError: the file does not exist.
        ImageFileError: the file cannot be read, a side is below 8 pixels, or its format does not
            define black and white, as for `to_eight_bits`.
    """
    check_file(file)
    return decode_image(file, mode, str(file), value_range, look, background)


class ImageContent(NamedTuple):
    """The content of an image file.

    Attributes:
        pixels: uint8 or uint16, (height, width, channels): 1 for grey, 2 for grey and alpha, 3 for
            RGB, 4 for RGBA.
        profile: the ICC profile; None if there is none.
        exif: the EXIF data without the orientation; None if there are none.
    """

    pixels: NDArray[Any]
    profile: bytes | None
    exif: bytes | None


def read_with_metadata(file: str | Path) -> ImageContent:
    """Return an image file of any size upright, with its transparency and its metadata.

    PNG files of 16 bits have 16 bits, but for those of grey and alpha; others have 8.

    Warns:
        PartialImageWarning, NarrowRangeWarning: as for `read_image`.
        ColourSpaceWarning: the file is CMYK, for example, and becomes RGB.

    Raises:
        DataError, ImageFileError: as for `read_image`.
    """
    check_file(file)
    with _naming(file, str(file)):
        upright, header, profile, method, exif = _open(file, str(file), None, metadata=True)
        deep = read_sixteen_bits(file)
        if header.mode == "LA":
            upright = upright.convert("LA")
        elif upright.mode == "RGBA" and header.mode != "RGBA":  # of a palette, or of CMYK
            transparent = upright.getchannel("A").getextrema() != (255, 255)
            upright = upright if transparent else upright.convert("RGB")
        elif not is_opaque(upright):
            upright = upright.convert("RGBA")
    pixels = np.asarray(upright)
    if deep is not None:
        pixels = deep if method is None else _TURNS[method](deep)
    if header.mode in _OTHER_COLOURS:
        warn_of_image(
            ColourSpaceWarning,
            f"{file} has the colours {header.mode}: it becomes RGB, without its ICC profile",
        )
    # A profile of other channels, such as of CMYK, does not describe the converted image.
    fits = header.mode in _MODES_OF_PROFILES or header.mode.startswith("I;16")
    return ImageContent(pixels.reshape(*pixels.shape[:2], -1), profile if fits else None, exif)


def check_file(file: str | Path) -> None:
    """Check that a path is that of a file.

    Raises:
        DataError: it does not exist.
        ImageFileError: it is no file, such as a pipe, whose reader would wait for a writer.
    """
    if not os.path.isfile(file):
        if not os.path.exists(file):
            raise DataError(f"image file not found: {file}. Check the path.")
        raise ImageFileError(f"cannot read the image {file}: it is not a file. Use an image file.")


def decode_image(
    file: str | Path | BinaryIO,
    mode: str,
    name: str,
    value_range: ValueRange | None = None,
    look: Callable[[ImageHeader], None] | None = None,
    background: str = "white",
) -> Image.Image:
    """Return an image as `read_image` does, from a path or an open file.

    Args:
        file: a path, or an open binary file.
        mode: a PIL mode without alpha.
        name: name of the file in error messages.
        value_range: as for `read_image`.
        look: as for `read_image`.
        background: as for `read_image`.

    Raises:
        ImageFileError: as for `read_image`.
    """
    with _naming(file, name):
        upright, header, *_ = _open(file, name, value_range)
        target = mode if is_opaque(upright) else "RGBA"
        if upright.mode != target:  # PIL would copy an image of this mode
            upright = upright.convert(target)
    check_sides(name, upright.size)
    if look is not None:
        look(header)
    _count_conversions(header, mode)
    if upright.mode == "RGBA":
        if upright.getchannel("A").getextrema() != (255, 255):
            count_image(f"transparent on {background}")
            behind = Image.new("RGBA", upright.size, background)
            upright = Image.alpha_composite(behind, upright)
        upright = upright.convert(mode)
    upright.info.clear()  # a file written from it has none of this file's metadata
    return upright


def _open(
    file: str | Path | BinaryIO,
    name: str,
    value_range: ValueRange | None,
    *,
    metadata: bool = False,
) -> tuple[Image.Image, ImageHeader, bytes | None, Image.Transpose | None, bytes | None]:
    """Return an image upright with 8 bits, its header, ICC profile, turn, and other EXIF data.

    The turn is None for an upright image, and the EXIF data are None without `metadata`.
    """
    with ignored_warnings(Image.DecompressionBombWarning), Image.open(file) as image:
        _check_memory(image, name)
        _warn_if_partial(image, name)
        properties = image.format or "unknown", image.mode, count_bits(image)
        profile = image.info.get("icc_profile")
        deep = is_deep(image)
        correct_transparency(image, name)
        image.load()
        colours = to_eight_bits(image, name, value_range, deep=deep)
        method = _upright_method(image)
        upright = colours if method is None else colours.transpose(method)
        exif = _other_exif(image) if metadata else None
    return upright, ImageHeader(*properties, method is not None), profile, method, exif


def _check_memory(image: Image.Image, name: str) -> None:
    """Raise an ImageFileError if a large image takes more than the free memory."""
    pixels = image.width * image.height
    if pixels < LARGE:
        return
    needs, free = pixels * BYTES_PER_PIXEL, free_host_memory()
    if needs > free:
        raise ImageFileError(
            f"cannot read the image {name}: its {describe_size(image.size)} pixels take "
            f"{needs / 2**30:.1f} GiB, and {free / 2**30:.1f} GiB are free. Crop it, or cut it "
            "into parts."
        )


@contextlib.contextmanager
def _naming(file: str | Path | BinaryIO, name: str) -> Iterator[None]:
    """Name the file in the errors of its decoder.

    Raises:
        ImageFileError: as for `read_image`.
    """
    try:
        yield
    except ImageFileError:
        raise
    except Exception as error:
        if isinstance(file, str | Path) and (text := explain_pointer(Path(file))):
            raise ImageFileError(text) from error
        if isinstance(error, Image.DecompressionBombError):
            limit = 2 * (Image.MAX_IMAGE_PIXELS or 0)
            raise ImageFileError(
                f"cannot read the image {name}: it has more than {limit:,} pixels. Crop it, cut it "
                "into parts, or set PIL.Image.MAX_IMAGE_PIXELS."
            ) from error
        if isinstance(error, UnidentifiedImageError) and (reason := _explain_format(file)):
            raise ImageFileError(f"cannot read the image {name}: {reason}") from error
        raise ImageFileError(
            f"cannot read the image {name}: {_plain(error)}. Repair it or remove it."
        ) from error


def _count_conversions(header: ImageHeader, mode: str) -> None:
    """Count an image whose file is turned, or has other channels or bits than the image."""
    if header.turned:
        count_image("turned by EXIF")
    if header.bits > 8:
        count_image(f"of {header.bits} bits reduced to 8")
    is_grey = header.mode in _GREY_MODES or header.mode.startswith("I")
    if is_grey != (mode == "L"):
        count_image("grey to RGB" if is_grey else "colour to grey")
    elif header.mode in _OTHER_COLOURS:
        count_image(f"{header.mode} to RGB")


def _warn_if_partial(image: Image.Image, name: str) -> None:
    """Warn if a file holds several images, or if PIL would complete a truncated one in grey.

    Files of the format MPO hold a photo and further views of it.
    """
    if getattr(image, "is_animated", False) and image.format != "MPO":
        warn_of_image(
            PartialImageWarning,
            f"the image {name} holds several images, such as frames or pages, and only the first "
            "is read. Save the others as files of their own to use them",
        )
    if ImageFile.LOAD_TRUNCATED_IMAGES:
        warn_of_image(
            CompletedImageWarning,
            "PIL's LOAD_TRUNCATED_IMAGES is on in this process, so the missing part of a truncated "
            "image becomes grey. Set PIL.ImageFile.LOAD_TRUNCATED_IMAGES to False to refuse them",
        )


def _upright_method(image: Image.Image) -> Image.Transpose | None:
    """Return the change that turns an image upright, by the EXIF tag Orientation alone.

    Other tags may be damaged, and change no pixel.
    """
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # noqa: BLE001 - the reader of damaged metadata may raise anything
        return None
    return _UPRIGHT.get(orientation) if isinstance(orientation, int) else None


def _other_exif(image: Image.Image) -> bytes | None:
    """Return the EXIF data without orientation and size, which an upscaled image does not share."""
    try:
        exif = image.getexif()
        exif.pop(ExifTags.Base.Orientation, None)
        for tag in (ExifTags.Base.ExifImageWidth, ExifTags.Base.ExifImageHeight):
            exif.get_ifd(ExifTags.IFD.Exif).pop(tag, None)
        content = exif.tobytes() if len(exif) else b""
    except Exception:  # noqa: BLE001 - as in `_upright_method`
        return None
    return content if 0 < len(content) <= MAX_EXIF else None


def _explain_format(file: str | Path | BinaryIO) -> str:
    """Return the format of a file that PIL does not read, with advice; empty if it is unknown."""
    try:
        if isinstance(file, str | Path):
            with open(file, "rb") as stream:
                head = stream.read(HEAD)
        else:
            file.seek(0)
            head = file.read(HEAD)
    except (OSError, ValueError):
        return ""
    if not head:
        return "it is empty. Repair it or remove it."
    if not (kind := name_format(head)):
        return ""
    advice = "Convert it to JPEG or PNG" if kind in CONVERTIBLE else "Replace it or remove it"
    return f"its content is {kind}, which ganzoo does not read. {advice}."


def _plain(error: Exception) -> str:
    """Return the text of a decoder's error in one line, without an address in memory."""
    if isinstance(error, UnidentifiedImageError):
        return "it is not an image of a kind that Pillow reads"
    return " ".join(str(error).split()).removesuffix(".") or type(error).__name__


def describe_size(size: tuple[int, int]) -> str:
    """Return a size as PIL has it, width and height, as a text of height x width."""
    width, height = size
    return f"{height}x{width}"


def check_sides(file: str | Path, size: tuple[int, int]) -> None:
    """Check that an image has at least 8x8 pixels.

    Raises:
        ImageFileError: a side is below 8 pixels.
    """
    if min(size) < SMALLEST:
        raise ImageFileError(
            f"the image {file} is {describe_size(size)} pixels; the minimum is "
            f"{SMALLEST}x{SMALLEST}. Use a larger image, or remove it."
        )


def fit_image(image: Image.Image, width: int, height: int, name: str | Path) -> Image.Image:
    """Resize an image until it covers the size, and crop its centre.

    Args:
        image: the image.
        width: new width in pixels.
        height: new height in pixels.
        name: name of the image in warnings.

    Warns:
        CropWarning: the crop drops half of the pixels or more.
    """
    warn_of_crop(image.size, width, height, name)
    return ImageOps.fit(image, (width, height), Image.Resampling.LANCZOS)


def warn_of_crop(
    size: tuple[int, int],
    width: int,
    height: int,
    name: str | Path,
    crop: str = "centre crop",
    advice: str = "Crop it yourself to choose the part",
) -> None:
    """Warn if a crop drops half of the pixels of an image or more.

    Args:
        size: width and height of the image.
        width: width of the crop's shape.
        height: height of the crop's shape.
        name: name of the image in the warning.
        crop: kind of crop.
        advice: last sentence of the warning.

    Warns:
        CropWarning: it does.
    """
    if loses_half(size, width, height):
        warn_of_image(
            CropWarning,
            f"the image {name} has {describe_size(size)} pixels (height x width), and loses half "
            f"of them or more to the {crop} to {height}x{width}. {advice}",
        )


def loses_half(size: tuple[int, int], width: int, height: int) -> bool:
    """Return whether a crop to a shape drops half of the pixels or more.

    Args:
        size: width and height of the image.
        width: width of the shape.
        height: height of the shape.
    """
    across, down = size[0] * height, size[1] * width
    return 2 * min(across, down) <= max(across, down)
