"""Conversion of image files of any depth to eight bits per channel."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffTags
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile

from ganzoo.errors import DataError, ImageFileError
from ganzoo.sampling.image_warnings import ImageFileWarning, warn_of_image

ValueRange = tuple[float, float]

_TAGS = {tag.name: number for number, tag in TiffTags.TAGS_V2.items()}
_SIGNED, _WHITE_IS_ZERO = 2, 0  # values of the TIFF tags SampleFormat and PhotometricInterpretation
# The smallest share of the range from black to white that images usually reach, such as a mask of
# numbers of classes does not. Files of more than 8 bits are often of a camera with 10 to 14 bits,
# with any offset, and then fill a quarter or less.
_USUAL_REACH, _USUAL_SHARE_OF_DEEP_FILES = 1 / 16, 1 / 4
MOST_CLIPPED = 1 / 4  # the largest share of an image's values that is usually beyond the range

_FORMATS_OF_16_BITS = ("PNG", "PPM")  # whose largest value is 65535; PIL reads them as 32 bits
_SIXTEEN_BITS = ("I;16B", "RGB;16B", "RGBA;16B")  # how PNGs store values of 16 bits
_LEVELS_OF_ONE = {"L;2": 85, "L;4": 17}  # by how PNGs store grey values: the level of a value of 1

# End of a warning about the range of an image in a dataset with the option `value_range`.
REMEDY = "; a dataset also accepts the values of black and white: --dataset.value-range BLACK WHITE"


class NarrowRangeWarning(ImageFileWarning):
    """An image file whose values are probably of another range, see `is_narrow`."""


class ClippedRangeWarning(ImageFileWarning):
    """An image with many values beyond black and white, which are clipped."""


def check_value_range(dataset: str, values: Sequence[float]) -> ValueRange | None:
    """Return the argument `value_range` of a dataset; None if it is empty.

    Raises:
        DataError: it is neither empty nor two increasing, finite numbers.
    """
    if not values:
        return None
    if len(values) != 2 or not np.isfinite(values).all() or values[0] >= values[1]:
        raise DataError(
            f"dataset {dataset!r} cannot use the value range {', '.join(f'{v:g}' for v in values)}."
            " State the values of black and white: --dataset.value-range 0 4095"
        )
    return values[0], values[1]


def is_deep(image: Image.Image) -> bool:
    """Return whether the values of an image file have 16 bits. Call it before the file is loaded.

    PIL reduces colours of 16 bits to 8, and does not remember it.
    """
    return ";16" in str(getattr(image, "tile", ""))


def is_opaque(image: Image.Image) -> bool:
    """Return whether an image of 8 bits is grey or RGB without transparent pixels."""
    return image.mode in ("L", "RGB") and "transparency" not in image.info


def count_bits(image: Image.Image) -> int:
    """Return the bits per channel of an image file. Call it before the file is loaded."""
    if is_deep(image):
        return 16
    match image.mode:
        case "1":
            return 1
        case "I":
            return 16 if image.format in _FORMATS_OF_16_BITS else 32
        case "F":
            return 32
    return 8


def correct_transparency(image: Image.Image, name: str) -> None:
    """Give the transparent colour of a PNG the scale of its pixels. Call it before the file loads.

    PIL scales pixels of 2, 4 and 16 bits to 8, but not the colour that is transparent.

    Raises:
        ImageFileError: colours of 16 bits have a transparent one: several colours share 8 bits.
    """
    stored = image.tile[0].args if isinstance(image, PngImageFile) and image.tile else None
    transparent = image.info.get("transparency")
    if stored == "RGB;16B" and transparent is not None:
        raise ImageFileError(
            f"cannot read the image {name}: it has colours of 16 bits, and one of them marks "
            "transparent pixels. Convert it to 8 bits, or give it an alpha channel."
        )
    if isinstance(transparent, int) and isinstance(stored, str):
        image.info["transparency"] = transparent * _LEVELS_OF_ONE.get(stored, 1)


def read_sixteen_bits(file: str | Path | BinaryIO) -> NDArray[np.uint16] | None:
    """Return the pixels of a PNG file of 16 bits, (height, width, channels).

    Returns:
        Grey, RGB or RGBA; None for other files, also for grey with alpha.
    """
    with Image.open(file) as image:
        stored = image.tile[0][3] if isinstance(image, PngImageFile) and image.tile else None
        if stored not in _SIXTEEN_BITS or "transparency" in image.info:
            return None
        pixels = np.asarray(image).astype(np.uint16)
    if pixels.ndim == 2:
        return pixels[..., None]
    # Pillow reads the high bytes of colours, and the low ones in the other byte order.
    with Image.open(file) as image:
        parts: list[Any] = image.tile
        parts[0] = (*parts[0][:3], stored.replace("16B", "16L"))
        both: NDArray[np.uint16] = pixels << 8 | np.asarray(image)
    return both


def to_eight_bits(
    image: Image.Image, name: str, value_range: ValueRange | None = None, *, deep: bool = False
) -> Image.Image:
    """Return an image with 8 bits per channel: black becomes 0, white 255, values are rounded.

    Files of up to 8 bits, of unsigned 16 bits, and TIFFs that state a number of bits, use the full
    range of their bits. The formats do not define black and white for other values.

    Args:
        image: an open image file, in any mode of PIL.
        name: name of the file in error messages.
        value_range: the values of black and white in a grey file; values beyond become black or
            white. None for the range that the file's format defines.
        deep: whether a colour file has values of 16 bits, see `is_deep`.

    Warns:
        NarrowRangeWarning: as for `is_narrow`.
        ClippedRangeWarning: more than a quarter of the values are beyond `value_range`.

    Raises:
        ImageFileError: the file has float, signed or 32-bit values and `value_range` is None; it
            has NaN or infinite values; or a colour file has a `value_range`.
    """
    if image.mode not in ("L", "F") and not image.mode.startswith("I"):
        if value_range:
            raise ImageFileError(
                f"the image {name} has the colour mode {image.mode}, but a value range applies to "
                "grey files only. Convert the file to grey, or leave out --dataset.value-range."
            )
        colour = image if is_opaque(image) else image.convert("RGBA")
        # If a row is not narrow, the image is not; to look at all of it takes long.
        row = colour.crop((0, colour.height // 2, colour.width, colour.height // 2 + 1))
        if is_narrow(_extremes_of_colour(row), (0, 255), deep=deep):
            warn_if_narrow(_extremes_of_colour(colour), (0, 255), name, deep=deep, remedy="")
        return colour
    values = _values(image)
    extremes = (float(values.min()), float(values.max()))
    if not np.isfinite(extremes).all():
        raise ImageFileError(
            f"the image {name} contains values that are NaN or infinite. Repair it or remove it."
        )
    ends = value_range or _range_of_format(image, values)
    if ends is None:
        raise ImageFileError(
            f"the image {name} holds {_describe(values)} from {extremes[0]:g} to {extremes[1]:g}, "
            "and its format does not define which of them are black and white. Convert it to 8 or "
            "16 bits; a dataset also accepts the two values: --dataset.value-range BLACK WHITE."
        )
    deep = values.dtype != np.uint8
    if not (value_range and warn_if_clipped(values, value_range, name)):
        warn_if_narrow(extremes, ends, name, deep=deep)
    if values.dtype == np.uint8 and (ends[0], ends[1]) == (0.0, 255.0):
        return image
    shares = (values.astype(np.float64) - ends[0]) / (ends[1] - ends[0])
    levels = Image.fromarray((255 * shares).clip(0, 255).round().astype(np.uint8))
    transparent = image.info.get("transparency")  # the value of transparent pixels in a PNG
    if isinstance(transparent, int):
        opaque = np.asarray(image) != transparent
        levels.putalpha(Image.fromarray(np.where(opaque, 255, 0).astype(np.uint8)))
    return levels


def _values(image: Image.Image) -> NDArray[Any]:
    """Return the values of a grey image as the file means them, which PIL does not in some cases.

    PIL reads signed bytes as unsigned ones, unsigned values of 32 bits as signed ones, signed ones
    of 16 bits as such of 32, and does not invert TIFFs of 16 bits in which 0 is white.
    """
    values = np.asarray(image)
    is_signed = _tag(image, "SampleFormat") == _SIGNED
    bits = _tag(image, "BitsPerSample")
    if values.dtype == np.uint8 and is_signed:
        return values.view(np.int8)
    if values.dtype == np.int32 and bits == 32 and not is_signed:
        return values.view(np.uint32)
    if values.dtype == np.int32 and bits == 16:
        return values.astype(np.int16)
    if _is_16_bit(values) and _tag(image, "PhotometricInterpretation") == _WHITE_IS_ZERO:
        return 65535 - values
    return values


def _range_of_format(image: Image.Image, values: NDArray[Any]) -> ValueRange | None:
    """Return the values of black and white that the file's format defines, or None."""
    if values.dtype == np.uint8:
        return 0, 255
    if _is_16_bit(values):
        bits = _tag(image, "BitsPerSample")
        return 0, 2**bits - 1 if isinstance(bits, int) and 8 < bits < 16 else 65535
    is_16_bit = image.mode == "I" and image.format in _FORMATS_OF_16_BITS
    return (0, 65535) if is_16_bit else None


def _is_16_bit(values: NDArray[Any]) -> bool:
    return values.dtype.kind == "u" and values.dtype.itemsize == 2  # of either byte order


def _tag(image: Image.Image, name: str) -> Any:
    """Return the first value of a TIFF tag; None in other formats."""
    value = image.tag_v2.get(_TAGS[name]) if isinstance(image, TiffImageFile) else None
    return value[0] if isinstance(value, tuple) and value else value


def _extremes_of_colour(image: Image.Image) -> ValueRange:
    """Return the least and greatest value of the channels of an image, without alpha."""
    lows, highs = zip(*image.getextrema()[:3], strict=True)
    return min(lows), max(highs)


def _describe(values: NDArray[Any]) -> str:
    kind = {"f": "float", "i": "signed", "u": "unsigned"}[values.dtype.kind]
    return f"{kind} values of {8 * values.dtype.itemsize} bits"


def is_narrow(extremes: ValueRange, ends: ValueRange, *, deep: bool) -> bool:
    """Return whether the values of an image are probably of another range than the stated one.

    Values of 8 bits are if all are below a sixteenth of the range, such as 0 and 1. An image of
    little contrast, such as of fog, has the range of 8 bits. Deeper values are if they fill less
    than a quarter of the range.

    Args:
        extremes: least and greatest value.
        ends: the values of black and white.
        deep: whether the values have more than 8 bits.
    """
    (low, high), (black, white) = extremes, ends
    if deep:
        return min(high, white) - max(low, black) < _USUAL_SHARE_OF_DEEP_FILES * (white - black)
    return high < black + _USUAL_REACH * (white - black)


def warn_if_narrow(
    extremes: ValueRange, ends: ValueRange, name: str, *, deep: bool, remedy: str = REMEDY
) -> None:
    """Warn if the values of an image are narrow, see `is_narrow`.

    An image of one value does not tell its range.

    Args:
        extremes: as for `is_narrow`.
        ends: as for `is_narrow`.
        name: name of the image.
        deep: as for `is_narrow`.
        remedy: end of the warning.
    """
    (low, high), (black, white) = extremes, ends
    if low < high and is_narrow(extremes, ends, deep=deep):
        warn_of_image(
            NarrowRangeWarning,
            f"the image {name} has only values from {low:g} to {high:g}, but black is {black:g} "
            f"and white is {white:g}, so it is dark or has little contrast. If the file has "
            f"another range, convert it{remedy}",
        )


def warn_if_clipped(values: NDArray[Any], ends: ValueRange, name: str) -> bool:
    """Warn if many values of an image are beyond black and white, and return whether they are.

    Warns:
        ClippedRangeWarning: more than a quarter of the values are.
    """
    black, white = ends
    low, high = float((values < black).mean()), float((values > white).mean())
    is_clipped = low + high > MOST_CLIPPED
    if is_clipped:
        warn_of_image(
            ClippedRangeWarning,
            f"the image {name} has values from {values.min():g} to {values.max():g}, but black is "
            f"{black:g} and white is {white:g}: {100 * low:.0f} % of its values become black and "
            f"{100 * high:.0f} % white. Pass the range of its values: --dataset.value-range BLACK "
            "WHITE",
        )
    return is_clipped
