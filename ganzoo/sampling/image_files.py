"""Folders of pictures: found, and read upright in eight bits, whatever their format."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from ganzoo.errors import DataError, DataNotFoundError, ImageFileError

ENDINGS = frozenset(
    [".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm"]
)
SMALLEST = 8  # pixels of a side


def find_folder(dataset: str, root: Path | None) -> Path:
    """Return the folder that holds a dataset of pictures.

    Raises:
        DataNotFoundError: none was named, or it is not there.
    """
    if root is None:
        raise DataNotFoundError(
            f"dataset {dataset!r} needs a folder of pictures: --data DIR or GANZOO_DATA=DIR."
        )
    if not root.is_dir():
        raise DataNotFoundError(f"no folder at {root}. Say where it lies with --data DIR.")
    return root


def find_image_files(folder: Path) -> list[Path]:
    """Return all pictures in a folder and its sub-folders but hidden ones, sorted.

    Raises:
        DataNotFoundError: there is none.
    """
    return [folder / name for name in find_names(folder)]


def find_names(folder: Path) -> list[str]:
    """Return what `find_image_files` does as paths from the folder on, in a fifth of the memory.

    Raises:
        DataNotFoundError: there is none.
    """
    skip = len(os.path.join(folder, ""))
    found = sorted((path[skip:] for path in _walk(folder)), key=lambda name: name.split(os.sep))
    if not found:
        raise DataNotFoundError(
            f"{folder} holds no picture (such as .png or .jpg). Say where they lie with --data DIR."
        )
    return found


def _walk(folder: str | Path) -> Iterator[str]:
    """Paths of pictures; a directory's listing says what is a file, without asking for each."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(entry.path)
            elif os.path.splitext(entry.name)[1].lower() in ENDINGS and entry.is_file():
                yield entry.path


def read_image(file: str | Path, mode: str = "RGB") -> Image.Image:
    """Return a picture upright, in a mode of PIL without alpha; what is transparent is white.

    Raises:
        DataError: it is not there.
        ImageFileError: it cannot be read, or a side is below 8 pixels.
    """
    if not Path(file).exists():
        raise DataError(f"there is no picture at {file}.")
    return decode_image(file, mode, str(file))


def decode_image(file: str | Path | BinaryIO, mode: str, name: str) -> Image.Image:
    """Return what `read_image` does, from a file or from what one holds.

    Args:
        file: a path, or an open binary file.
        mode: of PIL, without alpha.
        name: what an error calls the picture.

    Raises:
        ImageFileError: it cannot be read, or a side is below 8 pixels.
    """
    try:
        with Image.open(file) as picture:
            upright = _eight_bits(ImageOps.exif_transpose(picture)).convert("RGBA")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ImageFileError(
            f"cannot read the image {name}: {_plain(error)}. Repair it or take it out."
        ) from error
    check_sides(name, upright.size)
    white = Image.new("RGBA", upright.size, "white")
    return Image.alpha_composite(white, upright).convert(mode)


def _plain(error: Exception) -> str:
    """An error without the address in memory that PIL names an open file by."""
    return "it is no image" if isinstance(error, UnidentifiedImageError) else str(error)


def check_sides(file: str | Path, size: tuple[int, int]) -> None:
    """Refuse a picture that is too small to show anything.

    Raises:
        ImageFileError: a side below 8 pixels.
    """
    if min(size) < SMALLEST:
        raise ImageFileError(
            f"the image {file} is {size[0]}x{size[1]} pixels, and an image has "
            f"{SMALLEST}x{SMALLEST} at least. Take it out."
        )


def fit_image(picture: Image.Image, width: int, height: int) -> Image.Image:
    """Resize a picture until it covers the size, and cut the middle out."""
    return ImageOps.fit(picture, (width, height), Image.Resampling.LANCZOS)


def _eight_bits(picture: Image.Image) -> Image.Image:
    """A picture of 16 bits a pixel would turn white when it is converted."""
    if not picture.mode.startswith("I"):
        return picture
    return Image.fromarray((np.asarray(picture).clip(0, 65535) / 257).round().astype(np.uint8))
