"""Find image files in folders, and read them upright with eight bits per channel."""

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
SMALLEST = 8  # pixels, the minimum width and height


def find_folder(dataset: str, root: Path | None) -> Path:
    """Return the folder of an image dataset.

    Raises:
        DataNotFoundError: no folder is given, or it does not exist.
    """
    if root is None:
        raise DataNotFoundError(
            f"dataset {dataset!r} needs a folder of image files, but none is given. "
            "Pass --data DIR or set GANZOO_DATA=DIR."
        )
    if not root.is_dir():
        raise DataNotFoundError(f"folder not found: {root}. Pass its location with --data DIR.")
    return root


def find_image_files(folder: Path) -> list[Path]:
    """Return all image files in a folder and its subfolders, sorted, without hidden ones.

    Raises:
        DataNotFoundError: the folder contains no image files.
    """
    return [folder / name for name in find_names(folder)]


def find_names(folder: Path) -> list[str]:
    """Return the paths of `find_image_files` relative to the folder, in a fifth of the memory.

    Raises:
        DataNotFoundError: the folder contains no image files.
    """
    skip = len(os.path.join(folder, ""))
    names = sorted((path[skip:] for path in _walk(folder)), key=lambda name: name.split(os.sep))
    if not names:
        raise DataNotFoundError(
            f"{folder} contains no image files, such as .png or .jpg. "
            "Pass the folder of the image files with --data DIR."
        )
    return names


def _walk(folder: str | Path) -> Iterator[str]:
    """Yield the paths of image files; directory listings avoid a system call for each file."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(entry.path)
            elif os.path.splitext(entry.name)[1].lower() in ENDINGS and entry.is_file():
                yield entry.path


def read_image(file: str | Path, mode: str = "RGB") -> Image.Image:
    """Return an image file upright, in a PIL mode without alpha; transparent pixels are white.

    Raises:
        DataError: the file does not exist.
        ImageFileError: the file cannot be read, or a side is below 8 pixels.
    """
    if not Path(file).exists():
        raise DataError(f"image file not found: {file}. Check the path.")
    return decode_image(file, mode, str(file))


def decode_image(file: str | Path | BinaryIO, mode: str, name: str) -> Image.Image:
    """Return an image as `read_image` does, from a path or an open file.

    Args:
        file: a path, or an open binary file.
        mode: a PIL mode without alpha.
        name: name of the file in error messages.

    Raises:
        ImageFileError: the file cannot be read, or a side is below 8 pixels.
    """
    try:
        with Image.open(file) as image:
            upright = _eight_bits(ImageOps.exif_transpose(image)).convert("RGBA")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ImageFileError(
            f"cannot read the image {name}: {_plain(error)}. Repair it or remove it."
        ) from error
    check_sides(name, upright.size)
    white = Image.new("RGBA", upright.size, "white")
    return Image.alpha_composite(white, upright).convert(mode)


def _plain(error: Exception) -> str:
    """Return the text of an error without the memory address that PIL prints of open files."""
    return "it is not an image" if isinstance(error, UnidentifiedImageError) else str(error)


def check_sides(file: str | Path, size: tuple[int, int]) -> None:
    """Check that an image has at least 8x8 pixels.

    Raises:
        ImageFileError: a side is below 8 pixels.
    """
    if min(size) < SMALLEST:
        raise ImageFileError(
            f"the image {file} is {size[0]}x{size[1]} pixels; the minimum is "
            f"{SMALLEST}x{SMALLEST}. Remove it."
        )


def fit_image(image: Image.Image, width: int, height: int) -> Image.Image:
    """Resize an image until it covers the size, and crop its center."""
    return ImageOps.fit(image, (width, height), Image.Resampling.LANCZOS)


def _eight_bits(image: Image.Image) -> Image.Image:
    """Scale an image of 16 bits per pixel to 8 bits; PIL's conversion would clip it to white."""
    if not image.mode.startswith("I"):
        return image
    return Image.fromarray((np.asarray(image).clip(0, 65535) / 257).round().astype(np.uint8))
