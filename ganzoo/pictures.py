"""Folders of pictures: found, and read upright in eight bits, whatever their format."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from ganzoo.errors import DataError, DataNotFoundError

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


def find_pictures(folder: Path) -> list[Path]:
    """Return all pictures in a folder and its sub-folders but hidden ones, sorted.

    Raises:
        DataNotFoundError: there is none.
    """
    found = sorted(
        file
        for file in folder.rglob("*")
        if file.suffix.lower() in ENDINGS
        and file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(folder).parts)
    )
    if not found:
        raise DataNotFoundError(
            f"{folder} holds no picture (such as .png or .jpg). Say where they lie with --data DIR."
        )
    return found


def read_picture(file: str | Path, mode: str = "RGB") -> Image.Image:
    """Return a picture upright, in a mode of PIL without alpha; what is transparent is white.

    Raises:
        DataError: it cannot be read, or a side is below 8 pixels.
    """
    if not Path(file).exists():
        raise DataError(f"there is no picture at {file}.")
    try:
        with Image.open(file) as picture:
            upright = _eight_bits(ImageOps.exif_transpose(picture)).convert("RGBA")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(
            f"cannot read the image {file}: {error}. Repair it or take it out of the folder."
        ) from error
    check_sides(file, upright.size)
    white = Image.new("RGBA", upright.size, "white")
    return Image.alpha_composite(white, upright).convert(mode)


def check_sides(file: str | Path, size: tuple[int, int]) -> None:
    """Refuse a picture that is too small to show anything.

    Raises:
        DataError: a side below 8 pixels.
    """
    if min(size) < SMALLEST:
        raise DataError(
            f"the image {file} is {size[0]}x{size[1]} pixels, and an image has "
            f"{SMALLEST}x{SMALLEST} at least. Take it out of the folder."
        )


def fit_picture(picture: Image.Image, width: int, height: int) -> Image.Image:
    """Resize a picture until it covers the size, and cut the middle out."""
    return ImageOps.fit(picture, (width, height), Image.Resampling.LANCZOS)


def _eight_bits(picture: Image.Image) -> Image.Image:
    """A picture of 16 bits a pixel would turn white when it is converted."""
    if not picture.mode.startswith("I"):
        return picture
    return Image.fromarray((np.asarray(picture).clip(0, 65535) / 257).round().astype(np.uint8))
