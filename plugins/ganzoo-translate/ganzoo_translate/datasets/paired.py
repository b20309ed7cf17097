"""Pairs of images."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from PIL import Image

from ganzoo import DataSpec, ImageSpec
from ganzoo.errors import DataError, ImageFileError, quantity
from ganzoo.sampling.corrupt_files import SkipCorrupt
from ganzoo.sampling.image_depth import ValueRange, check_value_range
from ganzoo.sampling.image_files import check_sides, describe_size, read_image
from ganzoo.sampling.image_fits import ChannelsOption, Fitting
from ganzoo.sampling.image_folders import FileCounts, find_folder, list_images
from ganzoo.sampling.image_options import ImageOptions
from ganzoo_translate.datasets.checks import find_sub_folder, make_fitting, select, with_options
from ganzoo_translate.datasets.items import Translations, mode_of

MAX_NAMES = 3  # files that an error names


@with_options(name="the pair's name", item="pair")
def paired(
    root: Path | None,
    options: ImageOptions,
    *,
    layout: Literal["side-by-side", "folders"] = "side-by-side",
    condition_half: Literal["left", "right"] = "left",
    condition_folder: str = "A",
    target_folder: str = "B",
    start: int = 0,
    count: int = 0,
    value_range: tuple[float, ...] = (),
    skip_corrupt: SkipCorrupt = False,
    channels: ChannelsOption = 3,
    condition_channels: ChannelsOption = 3,
) -> tuple[Translations[tuple[Path, ...]], DataSpec]:
    """Pairs of images, side by side in one file or with the same name in two folders.

    Pairs are sorted by name. Both images of a pair are cropped at the same position. A training
    warns of the number of pairs that `fit` changes much, as for the dataset ``folder``. Links are
    followed as in that dataset.

    Args:
        root: the folder. Nothing is written to it.
        layout: ``side-by-side`` if the condition image and the target image are the halves of one
            file; ``folders`` if they have the same name in two folders.
        condition_half: the half that is the condition image.
        condition_folder: folder of the condition images.
        target_folder: folder of the target images.
        start: index of the first pair.
        count: number of pairs; 0 for all from the first on.
        value_range: values of black and white in grey files, such as 0 4095 for 12 bits; empty for
            the full range of 8 or 16 bits.
        skip_corrupt: replace a pair that cannot be read, has images of two sizes or an odd width
            by the next one without such a fault, with a warning; skip images without a partner.
        channels: channels of the target images: 3 for colour, 1 for grey.
        condition_channels: channels of the condition images.

    Returns:
        Items of the uint8 target image (channels, height, width), the label 0, and the uint8
        condition image (condition_channels, height, width).

    Raises:
        DataNotFoundError: a folder does not exist or contains no image files.
        DataError: an argument is out of range; or, without `skip_corrupt`, an image has no partner,
            or a pair is corrupt, has images of two sizes, or has an odd width.
    """
    fitting = make_fitting("paired", options)
    ends = check_value_range("paired", value_range)
    counts = FileCounts()
    folder = find_folder("paired", root)
    places: list[tuple[Path, ...]]
    base = folder
    if layout == "folders":
        base = conditions = find_sub_folder("paired", folder, condition_folder, "condition-folder")
        targets = find_sub_folder("paired", folder, target_folder, "target-folder")
        places = [*_match(conditions, targets, counts, skip_unmatched=skip_corrupt)]
    else:
        images = list_images(folder)
        counts.add(images.counts)
        places = [(file,) for file in images.paths]
    selection = select("paired", places, start, count, counts)

    spec = DataSpec(
        ImageSpec(fitting.height, fitting.width, channels),
        origin=(
            f"{quantity(len(selection), 'pair')} of images in the folder "
            f"{folder.name!r}{options.flipped}"
        ),
        condition=ImageSpec(fitting.height, fitting.width, condition_channels),
    )
    line = counts.describe(f"{quantity(len(selection), 'pair')}{options.flipped}")
    read = functools.partial(
        _read, fitting, (channels, condition_channels), condition_half, base, ends
    )
    return Translations(
        selection, read, line, fitting, flip=options.flip, skip_corrupt=skip_corrupt, source=folder
    ), spec


def _read(
    fitting: Fitting,
    channels: tuple[int, int],
    condition_half: str,
    base: Path,
    ends: ValueRange | None,
    place: tuple[Path, ...],
) -> tuple[Image.Image, Image.Image]:
    background = fitting.background
    target_mode, condition_mode = map(mode_of, channels)
    modes = [condition_mode, target_mode]
    if len(place) == 1:
        modes = [max(modes)]  # colour, unless both halves are grey
    images = [
        read_image(file, mode, ends, background=background)
        for file, mode in zip(place, modes, strict=True)
    ]
    if len(place) == 1:
        condition, image = _halves(place[0], images[0], condition_half)
    else:
        _check_sizes(place, images)
        condition, image = images
    # The condition is in the first file, the target in the last; both may be halves of one file.
    key = place[0].relative_to(base).with_suffix("").as_posix()
    return (
        fitting.apply(image.convert(target_mode), place[-1], key),
        fitting.apply(condition.convert(condition_mode), place[0], key),
    )


def _match(
    conditions: Path, targets: Path, counts: FileCounts, *, skip_unmatched: bool
) -> list[tuple[Path, Path]]:
    """Match the image files of two folders by name, without their extensions."""
    by_name = [_by_name(folder, counts) for folder in (conditions, targets)]
    unmatched = sorted(by_name[0].keys() ^ by_name[1].keys())
    matched = by_name[0].keys() & by_name[1].keys()
    if skip_unmatched and matched:
        counts.skipped["image without a partner"] += len(unmatched)
    elif unmatched:
        names = ", ".join(repr(str(name)) for name in unmatched[:MAX_NAMES])
        more = f" and {len(unmatched) - MAX_NAMES} more" if len(unmatched) > MAX_NAMES else ""
        raise DataError(
            f"dataset 'paired' cannot match all image files: {conditions} contains "
            f"{len(by_name[0])}, {targets} contains {len(by_name[1])}, and only one of them has "
            f"{names}{more}. Add the missing files, or skip these with --dataset.skip-corrupt. For "
            "images without partners use --dataset unpaired."
        )
    return [(by_name[0][name], by_name[1][name]) for name in sorted(matched)]


def _by_name(folder: Path, counts: FileCounts) -> dict[Path, Path]:
    files: dict[Path, Path] = {}
    images = list_images(folder)
    counts.add(images.counts)
    for file in images.paths:
        name = file.relative_to(folder).with_suffix("")
        if name in files:
            raise DataError(
                f"dataset 'paired' cannot match files by name: {files[name]} and {file} have the "
                "same name. Remove one of them."
            )
        files[name] = file
    return files


def _halves(file: Path, image: Image.Image, condition_half: str) -> tuple[Image.Image, Image.Image]:
    """Return the condition image and the target image of a file."""
    width, height = image.size
    if width % 2:
        raise ImageFileError(
            f"cannot split the image {file} into two halves: it is {height}x{width} pixels "
            "(height x width), and its width is odd. Crop it or remove it from the folder. For "
            "pairs in two folders use --dataset.layout folders."
        )
    half = width // 2
    check_sides(file, (half, height))
    left, right = image.crop((0, 0, half, height)), image.crop((half, 0, width, height))
    return (left, right) if condition_half == "left" else (right, left)


def _check_sizes(files: Sequence[Path], pair: Sequence[Image.Image]) -> None:
    if pair[0].size != pair[1].size:
        sizes = [describe_size(member.size) for member in pair]
        raise ImageFileError(
            f"the images {files[0]} and {files[1]} are a pair, but are {sizes[0]} and {sizes[1]} "
            "pixels (height x width). Resize one of them, or remove both."
        )
