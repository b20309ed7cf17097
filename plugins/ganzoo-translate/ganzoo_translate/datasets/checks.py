"""Checks of the folders and arguments of this package's datasets."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from ganzoo.errors import DataError, DataNotFoundError, quantity
from ganzoo.sampling.image_fits import Fitting
from ganzoo.sampling.image_folders import FileCounts
from ganzoo.sampling.image_options import ImageOptions, with_image_options

SMALLEST, LARGEST = 8, 1024  # limits of an image's sides

T = TypeVar("T")

# Adds the options of image files to a dataset of this plugin.
with_options = functools.partial(
    with_image_options, size=128, sides=f"; sides are {SMALLEST} to {LARGEST}"
)


def make_fitting(name: str, options: ImageOptions) -> Fitting:
    """Return how a dataset fits image files to its size.

    Args:
        name: name of the dataset.
        options: the options; sides are 8 to 1024 pixels.

    Raises:
        DataError: the size has another form, or a side is out of range.
    """
    return options.fitting(name, SMALLEST, LARGEST)


def find_sub_folder(name: str, root: Path, folder: str, argument: str) -> Path:
    """Return a sub-folder of the dataset's folder.

    Args:
        name: name of the dataset.
        root: folder of the dataset.
        folder: name of the sub-folder.
        argument: the option that names the sub-folder.

    Raises:
        DataNotFoundError: the sub-folder does not exist.
    """
    if not (root / folder).is_dir():
        folders = sorted(path.name for path in root.iterdir() if path.is_dir())
        raise DataNotFoundError(
            f"dataset {name!r} needs the folder {folder!r} in {root}, which contains the folders "
            f"{', '.join(folders) or '(none)'}. Name one of them with --dataset.{argument} NAME, "
            "or pass another location with --data DIR."
        )
    return root / folder


def select(name: str, items: Sequence[T], start: int, count: int, counts: FileCounts) -> list[T]:
    """Return `count` items from index `start` on, or all from there if `count` is 0.

    Args:
        name: name of the dataset.
        items: all items.
        start: index of the first one.
        count: number of items.
        counts: counts the items that are not selected.

    Raises:
        DataError: `start` or `count` is negative, or there are not enough items.
    """
    if start < 0 or count < 0:
        raise DataError(
            f"dataset {name!r} cannot use start={start} and count={count}. Set both to 0 or more; "
            "--dataset.start 0 --dataset.count 0 selects all."
        )
    if start >= len(items) or start + count > len(items):
        items_from = (
            f"{quantity(count, 'item')} from index {start:,}" if count else f"items from {start:,}"
        )
        raise DataError(
            f"dataset {name!r} cannot select {items_from} on: it has "
            f"{quantity(len(items), 'item')}. Use --dataset.start 0 --dataset.count 0 to select "
            "all."
        )
    selection = list(items[start : start + count] if count else items[start:])
    if len(selection) < len(items):
        counts.skipped["not selected by start and count"] += len(items) - len(selection)
    return selection
