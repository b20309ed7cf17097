"""Images of two domains, without pairs."""

from __future__ import annotations

import functools
from pathlib import Path

from PIL import Image

from ganzoo import DataSpec, ImageSpec
from ganzoo.errors import DataError, quantity
from ganzoo.sampling.corrupt_files import SkipCorrupt
from ganzoo.sampling.image_depth import ValueRange, check_value_range
from ganzoo.sampling.image_files import read_image
from ganzoo.sampling.image_fits import ChannelsOption, Fitting
from ganzoo.sampling.image_folders import FileCounts, find_folder, list_images
from ganzoo.sampling.image_options import ImageOptions
from ganzoo_translate.datasets.checks import find_sub_folder, make_fitting, select, with_options
from ganzoo_translate.datasets.items import Translations, mode_of


@with_options(item="pair of images")
def unpaired(
    root: Path | None,
    options: ImageOptions,
    *,
    condition_folder: str = "A",
    target_folder: str = "B",
    repeat_shorter: bool = False,
    start: int = 0,
    count: int = 0,
    value_range: tuple[float, ...] = (),
    skip_corrupt: SkipCorrupt = False,
    channels: ChannelsOption = 3,
    condition_channels: ChannelsOption = 3,
) -> tuple[Translations[tuple[Path, Path]], DataSpec]:
    """Two folders of images, one for each domain.

    A training warns of the number of items that `fit` changes much, as for the dataset ``folder``.
    Links are followed as in that dataset.

    Args:
        root: the folder that contains both. Nothing is written to it.
        condition_folder: folder of the condition images, the domain to translate from.
        target_folder: folder of the target images, the domain to translate to.
        repeat_shorter: repeat images of the smaller folder, so that an epoch is one pass over the
            larger folder. Without it, folders of different length raise an error.
        start: index of the first file of each folder, sorted by name.
        count: number of files of each folder; 0 for all from the first on.
        value_range: values of black and white in grey files, such as 0 4095 for 12 bits; empty for
            the full range of 8 or 16 bits.
        skip_corrupt: replace two images that cannot be read by the next that can, with a warning.
        channels: channels of the target images: 3 for colour, 1 for grey.
        condition_channels: channels of the condition images.

    Returns:
        Items of a uint8 target image (channels, height, width), the label 0, and a uint8 condition
        image (condition_channels, height, width).

    Raises:
        DataNotFoundError: a folder does not exist or contains no image files.
        DataError: an argument is out of range, the folders have different lengths, or an image is
            corrupt.
    """
    fitting = make_fitting("unpaired", options)
    ends = check_value_range("unpaired", value_range)
    folder = find_folder("unpaired", root)
    counts = FileCounts()
    domains, bases = [], []
    for name, option in ((condition_folder, "condition-folder"), (target_folder, "target-folder")):
        bases.append(find_sub_folder("unpaired", folder, name, option))
        images = list_images(bases[-1])
        counts.add(images.counts)
        domains.append(select("unpaired", images.paths, start, count, counts))
    conditions, targets = domains
    if len(conditions) != len(targets) and not repeat_shorter:
        raise DataError(
            f"dataset 'unpaired' needs folders of equal length, but {condition_folder!r} has "
            f"{quantity(len(conditions), 'image')} and {target_folder!r} has {len(targets):,}. Use "
            "--dataset.repeat-shorter to repeat images of the smaller folder, or --dataset.count N "
            "to select N of each."
        )
    longest = max(len(conditions), len(targets))
    places = [(conditions[k % len(conditions)], targets[k % len(targets)]) for k in range(longest)]

    spec = DataSpec(
        ImageSpec(fitting.height, fitting.width, channels),
        origin=(
            f"{quantity(len(targets), 'image')} of {target_folder!r} and {len(conditions)} of "
            f"{condition_folder!r} in the folder {folder.name!r}{options.flipped}"
        ),
        condition=ImageSpec(fitting.height, fitting.width, condition_channels),
        paired=False,
    )
    line = counts.describe(
        f"{quantity(len(conditions), 'image file')} in {condition_folder!r} and {len(targets):,} "
        f"in {target_folder!r}{options.flipped}"
    )
    sides = tuple(zip(bases, (condition_channels, channels), strict=True))
    read = functools.partial(_read, fitting, sides, ends)
    return Translations(
        places, read, line, fitting, flip=options.flip, skip_corrupt=skip_corrupt, source=folder
    ), spec


def _read(
    fitting: Fitting,
    sides: tuple[tuple[Path, int], ...],
    ends: ValueRange | None,
    place: tuple[Path, Path],
) -> tuple[Image.Image, Image.Image]:
    """Return the target image and the condition image; `sides` has folder and channels of each."""
    images = []
    for file, (base, channels) in zip(place, sides, strict=True):
        mode = mode_of(channels)
        image = read_image(file, mode, ends, background=fitting.background)
        images.append(fitting.apply(image, file, file.relative_to(base).as_posix()))
    condition, target = images
    return target, condition
