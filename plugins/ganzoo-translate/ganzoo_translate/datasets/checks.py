"""What the datasets of this package ask of their folders and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from ganzoo.errors import DataError, DataNotFoundError

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
