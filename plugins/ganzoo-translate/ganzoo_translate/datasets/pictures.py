"""Pictures on disk as uint8 tensors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from ganzoo.errors import DataError, DataNotFoundError

ENDINGS = frozenset(
    [".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm"]
)
SMALLEST_PICTURE = 8  # pixels of the short side, below which there is nothing to translate
SMALLEST, LARGEST = 8, 1024  # sides that pictures are resized to

T = TypeVar("T")


def check_size(name: str, size: int) -> None:
    """Refuse a side that pictures are not resized to.

    Raises:
        DataError: a size outside 8 to 1024.
    """
    if not SMALLEST <= size <= LARGEST:
        raise DataError(
            f"dataset {name!r} cannot resize to {size}: size is {SMALLEST} to {LARGEST}. "
            "--dataset.size 128"
        )


def find_folder(name: str, root: Path | None) -> Path:
    """Return the folder that holds a dataset.

    Raises:
        DataNotFoundError: none was named, or it is not there.
    """
    if root is None:
        raise DataNotFoundError(
            f"dataset {name!r} needs a folder of pictures: --data DIR or GANZOO_DATA=DIR."
        )
    if not root.is_dir():
        raise DataNotFoundError(f"no folder at {root}. Say where it lies with --data DIR.")
    return root


def find_sub_folder(name: str, root: Path, folder: str, argument: str) -> Path:
    """Return a folder in the dataset's folder.

    Raises:
        DataNotFoundError: it is not there.
    """
    if not (root / folder).is_dir():
        there = sorted(path.name for path in root.iterdir() if path.is_dir())
        raise DataNotFoundError(
            f"dataset {name!r} looks for a folder {folder!r} in {root}, which holds the folders "
            f"{', '.join(there) or '(none)'}. Name one of them with --dataset.{argument} NAME, or "
            "another place with --data DIR."
        )
    return root / folder


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


def take(name: str, items: Sequence[T], start: int, count: int) -> list[T]:
    """Return `count` items, or all, from number `start` on.

    Raises:
        DataError: numbers below 0, or more than there are.
    """
    if start < 0 or count < 0:
        raise DataError(
            f"dataset {name!r} cannot take {count} from number {start} on: neither is below 0. "
            "--dataset.start 0 --dataset.count 0 takes all."
        )
    if start >= len(items) or start + count > len(items):
        asked = f"{count:,} from number {start:,} on" if count else f"those from {start:,} on"
        raise DataError(
            f"dataset {name!r} was asked for {asked}, and there are {len(items):,}. "
            "--dataset.start 0 --dataset.count 0 takes all."
        )
    return list(items[start : start + count] if count else items[start:])


def read_picture(file: Path) -> Image.Image:
    """Return a picture upright and in RGB; what is transparent is white.

    Raises:
        DataError: it cannot be read, or its short side is below 8 pixels.
    """
    try:
        with Image.open(file) as picture:
            upright = _eight_bits(ImageOps.exif_transpose(picture)).convert("RGBA")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(
            f"cannot read the image {file}: {error}. Repair it or take it out of the folder."
        ) from error
    check_sides(file, upright.size)
    white = Image.new("RGBA", upright.size, "white")
    return Image.alpha_composite(white, upright).convert("RGB")


def check_sides(file: Path, size: tuple[int, int]) -> None:
    """Refuse a picture that is too small.

    Raises:
        DataError: a side below 8 pixels.
    """
    if min(size) < SMALLEST_PICTURE:
        raise DataError(
            f"the image {file} is {size[0]}x{size[1]} pixels, and an image has "
            f"{SMALLEST_PICTURE}x{SMALLEST_PICTURE} at least. Take it out of the folder."
        )


def fit(picture: Image.Image, size: int) -> Image.Image:
    """Resize the short side to `size` and cut the middle out."""
    return ImageOps.fit(picture, (size, size), Image.Resampling.LANCZOS)


def to_tensor(picture: Image.Image) -> Tensor:
    """Return uint8 (channels, height, width)."""
    pixels = torch.from_numpy(np.array(picture))
    return pixels[None] if pixels.ndim == 2 else pixels.permute(2, 0, 1).contiguous()


def _eight_bits(picture: Image.Image) -> Image.Image:
    """A picture of 16 bits a pixel would turn white when it is converted."""
    if not picture.mode.startswith("I"):
        return picture
    return Image.fromarray((np.asarray(picture).clip(0, 65535) / 257).round().astype(np.uint8))
