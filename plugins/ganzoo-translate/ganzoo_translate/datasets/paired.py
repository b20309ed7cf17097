"""Pairs of pictures."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Literal

from PIL import Image

from ganzoo import DataSpec, ImageSpec
from ganzoo.errors import DataError
from ganzoo.sampling.image_files import (
    check_sides,
    find_folder,
    find_image_files,
    fit_image,
    read_image,
)
from ganzoo_translate.datasets.checks import (
    check_size,
    find_sub_folder,
    take,
)
from ganzoo_translate.datasets.items import Translations

SHOWN = 3  # files that an error names


def paired(
    root: Path | None,
    *,
    size: int = 128,
    layout: Literal["side-by-side", "folders"] = "side-by-side",
    condition_half: Literal["left", "right"] = "left",
    condition_folder: str = "A",
    target_folder: str = "B",
    start: int = 0,
    count: int = 0,
) -> tuple[Translations[tuple[Path, ...]], DataSpec]:
    """Pairs of pictures, each in one file or in two folders.

    Pairs are sorted by name. The short side is resized to `size`, the middle cut out, both alike.

    Args:
        root: the folder. It is only read.
        size: side of the images in pixels.
        layout: ``side-by-side`` where a picture and the one it is to be made from are the halves
            of one file, ``folders`` where they have one name in two folders.
        condition_half: which half the other is to be made from.
        condition_folder: folder of the pictures that others are to be made from.
        target_folder: folder of those that are to be made.
        start: number of the first pair.
        count: number of pairs; 0 for all from the first on.

    Returns:
        Items of uint8 (3, size, size), 0, and the uint8 (3, size, size) it is to be made from.

    Raises:
        DataNotFoundError: no such folder, or no picture in it.
        DataError: a number out of its range; pictures without a partner; when a pair is read that
            is corrupt, of two sizes or has no two halves, its name.
    """
    check_size("paired", size)
    where = find_folder("paired", root)
    places: list[tuple[Path, ...]]
    if layout == "folders":
        conditions = find_sub_folder("paired", where, condition_folder, "condition-folder")
        targets = find_sub_folder("paired", where, target_folder, "target-folder")
        places = [*_partners(conditions, targets)]
    else:
        places = [(file,) for file in find_image_files(where)]
    chosen = take("paired", places, start, count)

    square = ImageSpec(size, size, 3)
    spec = DataSpec(
        square,
        origin=f"{len(chosen)} pairs of pictures of the folder {where.name!r}",
        condition=square,
    )
    return Translations(chosen, functools.partial(_read, size, condition_half)), spec


def _read(
    size: int, condition_half: str, place: tuple[Path, ...]
) -> tuple[Image.Image, Image.Image]:
    condition, image = _halves(*place, condition_half) if len(place) == 1 else _whole(*place)
    return fit_image(image, size, size), fit_image(condition, size, size)


def _partners(conditions: Path, targets: Path) -> list[tuple[Path, Path]]:
    """Match the pictures of two folders by name, whatever their endings."""
    by_name = [_by_name(folder) for folder in (conditions, targets)]
    alone = sorted(by_name[0].keys() ^ by_name[1].keys())
    if alone:
        named = ", ".join(repr(str(name)) for name in alone[:SHOWN])
        more = f" and {len(alone) - SHOWN} more" if len(alone) > SHOWN else ""
        raise DataError(
            f"dataset 'paired': {conditions} holds {len(by_name[0])} pictures and {targets} "
            f"{len(by_name[1])}, and those named {named}{more} are in one of them alone. Add their "
            "partners or take them out; pictures without partners are --dataset unpaired."
        )
    return [(file, by_name[1][name]) for name, file in sorted(by_name[0].items())]


def _by_name(folder: Path) -> dict[Path, Path]:
    found: dict[Path, Path] = {}
    for file in find_image_files(folder):
        name = file.relative_to(folder).with_suffix("")
        if name in found:
            raise DataError(
                f"dataset 'paired': {found[name]} and {file} have one name, so that a partner "
                "would have two. Take one of them out."
            )
        found[name] = file
    return found


def _halves(file: Path, condition_half: str) -> tuple[Image.Image, Image.Image]:
    """The condition and the image."""
    picture = read_image(file)
    width, height = picture.size
    if width % 2:
        raise DataError(
            f"the image {file} is {width}x{height} pixels, and a width of {width} has no two "
            "halves. Crop it, or take it out of the folder; pairs in two folders are "
            "--dataset.layout folders."
        )
    half = width // 2
    check_sides(file, (half, height))
    left, right = picture.crop((0, 0, half, height)), picture.crop((half, 0, width, height))
    return (left, right) if condition_half == "left" else (right, left)


def _whole(condition: Path, image: Path) -> tuple[Image.Image, Image.Image]:
    pair = read_image(condition), read_image(image)
    if pair[0].size != pair[1].size:
        sizes = ["x".join(map(str, picture.size)) for picture in pair]
        raise DataError(
            f"the images {condition} and {image} are a pair, and are {sizes[0]} and {sizes[1]} "
            "pixels. Resize one of them, or take both out."
        )
    return pair
