"""Images of two domains, without pairs."""

from __future__ import annotations

import functools
from pathlib import Path

from PIL import Image

from ganzoo import DataSpec, ImageSpec
from ganzoo.errors import DataError
from ganzoo.sampling.image_files import find_folder, find_image_files, fit_image, read_image
from ganzoo_translate.datasets.checks import check_size, find_sub_folder, select
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
    """Two folders of images, one for each domain.

    Images are resized on their short side and cropped to a centred square.

    Args:
        root: the folder that contains both. Nothing is written to it.
        size: height and width of the images in pixels, 8 to 1024.
        condition_folder: folder of the condition images, the domain to translate from.
        target_folder: folder of the target images, the domain to translate to.
        repeat_shorter: repeat images of the smaller folder, so that an epoch is one pass over the
            larger folder. Without it, folders of different length raise an error.
        start: index of the first file of each folder, sorted by name.
        count: number of files of each folder; 0 for all from the first on.

    Returns:
        Items of a uint8 target image (3, size, size), the label 0, and a uint8 condition image
        (3, size, size).

    Raises:
        DataNotFoundError: a folder does not exist or contains no image files.
        DataError: an argument is out of range, the folders have different lengths, or an image is
            corrupt.
    """
    check_size("unpaired", size)
    folder = find_folder("unpaired", root)
    conditions, targets = (
        select(
            "unpaired",
            find_image_files(find_sub_folder("unpaired", folder, name, option)),
            start,
            count,
        )
        for name, option in (
            (condition_folder, "condition-folder"),
            (target_folder, "target-folder"),
        )
    )
    if len(conditions) != len(targets) and not repeat_shorter:
        raise DataError(
            f"dataset 'unpaired' needs folders of equal length, but {condition_folder!r} has "
            f"{len(conditions):,} images and {target_folder!r} has {len(targets):,}. Use "
            "--dataset.repeat-shorter to repeat images of the smaller folder, or --dataset.count N "
            "to select N of each."
        )
    longest = max(len(conditions), len(targets))
    places = [(conditions[k % len(conditions)], targets[k % len(targets)]) for k in range(longest)]

    square = ImageSpec(size, size, 3)
    spec = DataSpec(
        square,
        origin=(
            f"{len(targets)} images of {target_folder!r} and {len(conditions)} of "
            f"{condition_folder!r} in the folder {folder.name!r}"
        ),
        condition=square,
        paired=False,
    )
    return Translations(places, functools.partial(_read, size)), spec


def _read(size: int, place: tuple[Path, Path]) -> tuple[Image.Image, Image.Image]:
    condition, image = (fit_image(read_image(file), size, size) for file in place)
    return image, condition
