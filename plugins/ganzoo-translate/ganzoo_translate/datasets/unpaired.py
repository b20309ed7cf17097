"""Pictures of two domains."""

from __future__ import annotations

import functools
from pathlib import Path

from PIL import Image

from ganzoo import DataSpec, ImageSpec
from ganzoo.errors import DataError
from ganzoo.sampling.image_files import find_folder, find_image_files, fit_image, read_image
from ganzoo_translate.datasets.checks import (
    check_size,
    find_sub_folder,
    take,
)
from ganzoo_translate.datasets.items import Translations


def unpaired(
    root: Path | None,
    *,
    size: int = 128,
    condition_folder: str = "A",
    target_folder: str = "B",
    repeat_shorter: bool = False,
    start: int = 0,
    count: int = 0,
) -> tuple[Translations[tuple[Path, Path]], DataSpec]:
    """Two folders of pictures that have nothing to do with each other.

    The short side is resized to `size`, the middle cut out.

    Args:
        root: the folder that holds both. It is only read.
        size: side of the images in pixels.
        condition_folder: folder of the pictures that others are to be made from.
        target_folder: folder of those that are to be made.
        repeat_shorter: where one folder holds fewer pictures, show some of its more often; an epoch
            is then one of the other folder. Otherwise such folders are refused.
        start: number of the first picture of each folder, sorted by name.
        count: number of pictures of each folder; 0 for all from the first on.

    Returns:
        Items of uint8 (3, size, size), 0, and a uint8 (3, size, size) of the other domain.

    Raises:
        DataNotFoundError: no such folder, or no picture in one of them.
        DataError: a number out of its range; folders of different length; when an image is read
            that is corrupt, its name.
    """
    check_size("unpaired", size)
    where = find_folder("unpaired", root)
    part = start, count
    conditions, targets = (
        take("unpaired", find_image_files(find_sub_folder("unpaired", where, name, option)), *part)
        for name, option in (
            (condition_folder, "condition-folder"),
            (target_folder, "target-folder"),
        )
    )
    if len(conditions) != len(targets) and not repeat_shorter:
        raise DataError(
            f"dataset 'unpaired' was given {len(conditions):,} pictures of {condition_folder!r} "
            f"and {len(targets):,} of {target_folder!r}. --dataset.repeat-shorter shows some of "
            "the fewer more often; --dataset.count N takes N of each."
        )
    longest = max(len(conditions), len(targets))
    places = [(conditions[k % len(conditions)], targets[k % len(targets)]) for k in range(longest)]

    square = ImageSpec(size, size, 3)
    spec = DataSpec(
        square,
        origin=(
            f"{len(targets)} pictures of {target_folder!r} and {len(conditions)} of "
            f"{condition_folder!r} of the folder {where.name!r}"
        ),
        condition=square,
        paired=False,
    )
    return Translations(places, functools.partial(_read, size)), spec


def _read(size: int, place: tuple[Path, Path]) -> tuple[Image.Image, Image.Image]:
    condition, image = (fit_image(read_image(file), size, size) for file in place)
    return image, condition
