"""What a row of the table of datasets states, and what its reader returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganzoo import ImageSpec
from ganzoo.spec.downloads import DownloadFile


@dataclass(frozen=True)
class Arrays:
    """Images in an array, and their class numbers.

    Attributes:
        images: uint8 (n, channels, height, width), or a map of a file (n, channels, width, height).
        labels: integers (n,), or None.
    """

    images: Any
    labels: NDArray[np.int64] | None


@dataclass(frozen=True)
class Files:
    """Image files, and their class numbers.

    Attributes:
        folder: the folder.
        names: paths relative to the folder.
        labels: integers (n,).
        classes: names of the classes.
    """

    folder: Path
    names: list[str]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]


Read = Callable[[Path, str, str], Arrays | Files]  # of a folder, a split and a subset


@dataclass(frozen=True)
class VisionSet:
    """A dataset in a layout of files.

    Attributes:
        name: its registered name.
        title: its name in errors.
        summary: the docstring's first line: what it contains.
        citation: the docstring's next lines: title, year and link of the paper, and the licence.
        origin: a short citation, for cards.
        license: Hub id of the licence that its authors state; None if they state none.
        folder: place of its files below the data folder.
        read: reads a split.
        downloads: returns the files that `ganzoo data download` fetches, from torchvision's list.
        image: size of its images; for image files, whose size is chosen, the number of channels.
        classes: returns the names of the classes of a split and a subset; None if the files name
            them.
        splits: parts of the dataset; the first is the default.
        subsets: versions of the dataset; the first is the default.
        extractor: as in `DataSpec`.
        hub: as in `DataSpec`.
    """

    name: str
    title: str
    summary: str
    citation: str
    origin: str
    license: str | None
    folder: str
    read: Read
    downloads: Callable[[], list[DownloadFile]]
    image: ImageSpec | int
    classes: Callable[[str, str], tuple[str, ...]] | None
    splits: tuple[str, ...] = ("train", "test")
    subsets: tuple[str, ...] = ()
    extractor: str = ""
    hub: str = ""
