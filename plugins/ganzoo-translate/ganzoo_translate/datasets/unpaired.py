"""Pictures of two domains."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from ganzoo import DataSpec, ImageSpec
from ganzoo.pictures import find_folder, find_pictures, fit_picture, read_picture
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
    source_folder: str = "A",
    target_folder: str = "B",
    start: int = 0,
    count: int = 0,
) -> tuple[Translations[tuple[Path, Path]], DataSpec]:
    """Two folders of pictures that have nothing to do with each other.

    An epoch is one of the larger folder; of the smaller some pictures are seen more often. The
    short side is resized to `size`, the middle cut out.

    Args:
        root: the folder that holds both. It is only read.
        size: side of the images in pixels.
        source_folder: folder of the pictures that others are to be made from.
        target_folder: folder of those that are to be made.
        start: number of the first picture of each folder, sorted by name.
        count: number of pictures of each folder; 0 for all from the first on.

    Returns:
        Items of uint8 (3, size, size), 0, and a uint8 (3, size, size) of the other domain.

    Raises:
        DataNotFoundError: no such folder, or no picture in one of them.
        DataError: a number out of its range; when an image is read that is corrupt, its name.
    """
    check_size("unpaired", size)
    where = find_folder("unpaired", root)
    part = start, count
    sources, targets = (
        take("unpaired", find_pictures(find_sub_folder("unpaired", where, name, option)), *part)
        for name, option in ((source_folder, "source-folder"), (target_folder, "target-folder"))
    )
    longest = max(len(sources), len(targets))
    places = [(sources[k % len(sources)], targets[k % len(targets)]) for k in range(longest)]

    def read(place: tuple[Path, Path]) -> tuple[Image.Image, Image.Image]:
        source, image = (fit_picture(read_picture(file), size, size) for file in place)
        return image, source

    square = ImageSpec(size, size, 3)
    spec = DataSpec(
        square,
        source=(
            f"{len(targets)} pictures of {target_folder!r} and {len(sources)} of "
            f"{source_folder!r} of the folder {where.name!r}"
        ),
        condition=square,
        paired=False,
    )
    return Translations(places, read), spec
