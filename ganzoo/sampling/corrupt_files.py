"""What a dataset returns instead of a corrupt image file."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

from ganzoo.errors import DataError, ImageFileError, quantity, shell_word
from ganzoo.registry.signatures import OMIT_DEFAULT
from ganzoo.sampling.image_warnings import ImageFileWarning, ImageNotes, warn_of_image

T = TypeVar("T")

UNREADABLE = "unreadable"  # name of the number of corrupt files


class CorruptFileWarning(ImageFileWarning):
    """A corrupt image file, which another image replaces."""

    for_each_file = True
    count = UNREADABLE


# An argument of datasets. Recipes and configs list it only where it is True.
SkipCorrupt = Annotated[bool, OMIT_DEFAULT]


def read_good(
    read: Callable[[int], T],
    index: int,
    length: int,
    *,
    skip_corrupt: bool,
    source: Path | None = None,
) -> tuple[int, T]:
    """Read an item of a dataset, or instead of a corrupt one the next that can be read.

    After the last item comes the first.

    Args:
        read: reads the item of an index.
        index: the index.
        length: number of items.
        skip_corrupt: whether another item replaces a corrupt one.
        source: the folder or zip of the image files, if ``ganzoo data`` describes it.

    Returns:
        The index of the item and the item.

    Warns:
        CorruptFileWarning: the item is corrupt, and another one replaces it.

    Raises:
        ImageFileError: the item is corrupt, and `skip_corrupt` is False.
        DataError: all items are corrupt.
        IndexError: the index is not below the length, which ends a loop over the dataset.
    """
    if index >= length:
        raise IndexError(index)
    for place in itertools.chain(range(index, length), range(index)):
        try:
            if place == index:
                return place, read(place)
            with ImageNotes().collect():  # the notes on that file belong to its own item
                return place, read(place)
        except ImageFileError as error:
            if not skip_corrupt:
                look = f" Check all files: ganzoo data {shell_word(source)}" if source else ""
                raise ImageFileError(
                    f"{error} Or skip such files with --dataset.skip-corrupt.{look}"
                ) from error
            warn_of_image(CorruptFileWarning, f"{error} The next image replaces it.")
    raise DataError(f"cannot read any of {quantity(length, 'image file')}. Replace them.")
