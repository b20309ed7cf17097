"""Images of two domains, without pairs."""

from __future__ import annotations

import functools
from pathlib import Path

from PIL import Image

from ganzoo import DataSpec, ImageSpec
from ganzoo.errors import DataError
from ganzoo.sampling.corrupt_files import SkipCorrupt
from ganzoo.sampling.image_depth import ValueRange, check_value_range
from ganzoo.sampling.image_files import fit_image, read_image
from ganzoo.sampling.image_folders import FileCounts, find_folder, list_images
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
    value_range: tuple[float, ...] = (),
    skip_corrupt: SkipCorrupt = False,
) -> tuple[Translations[tuple[Path, Path]], DataSpec]:
    """Two folders of images, one for each domain.

    Images are resized on their short side and cropped to a centred square; a training warns of the
    number of items that lose half of their pixels or more. Links are followed as in the dataset
    ``folder``.

    Args:
        root: the folder that contains both. Nothing is written to it.
        size: height and width of the images in pixels, 8 to 1024.
        condition_folder: folder of the condition images, the domain to translate from.
        target_folder: folder of the target images, the domain to translate to.
        repeat_shorter: repeat images of the smaller folder, so that an epoch is one pass over the
            larger folder. Without it, folders of different length raise an error.
        start: index of the first file of each folder, sorted by name.
        count: number of files of each folder; 0 for all from the first on.
        value_range: values of black and white in grey files, such as 0 4095 for 12 bits; empty for
            the full range of 8 or 16 bits.
        skip_corrupt: replace two images that cannot be read by the next that can, with a warning.

    Returns:
        Items of a uint8 target image (3, size, size), the label 0, and a uint8 condition image
        (3, size, size).

    Raises:
        DataNotFoundError: a folder does not exist or contains no image files.
        DataError: an argument is out of range, the folders have different lengths, or an image is
            corrupt.
    """
    check_size("unpaired", size)
    ends = check_value_range("unpaired", value_range)
    folder = find_folder("unpaired", root)
    counts = FileCounts()
    domains = []
    for name, option in ((condition_folder, "condition-folder"), (target_folder, "target-folder")):
        images = list_images(find_sub_folder("unpaired", folder, name, option))
        counts.add(images.counts)
        domains.append(select("unpaired", images.paths, start, count, counts))
    conditions, targets = domains
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
    line = counts.describe(
        f"{len(conditions):,} image files in {condition_folder!r} and {len(targets):,} in "
        f"{target_folder!r}"
    )
    return Translations(
        places, functools.partial(_read, size, ends), line, skip_corrupt=skip_corrupt
    ), spec


def _read(
    size: int, ends: ValueRange | None, place: tuple[Path, Path]
) -> tuple[Image.Image, Image.Image]:
    condition, image = (
        fit_image(read_image(file, value_range=ends), size, size, file) for file in place
    )
    return image, condition
