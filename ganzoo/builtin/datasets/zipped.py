"""Image files in a zip."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ganzoo import DataSpec, ImageSpec
from ganzoo.builtin.image_files.encoded import EncodedImages
from ganzoo.builtin.image_files.labels import read_labels
from ganzoo.builtin.image_files.one_file import find_file
from ganzoo.errors import DataError, DataNotFoundError, quantity
from ganzoo.sampling.image_depth import check_value_range
from ganzoo.sampling.image_fits import Fitting
from ganzoo.sampling.image_folders import (
    LABELS,
    FileCounts,
    ImageList,
    Labels,
    advise_conversion,
    advise_labels,
    describe_counts,
    describe_empty,
    describe_files,
    first_folder,
    select_classes,
    warn_of_loose,
)
from ganzoo.sampling.image_options import ImageOptions, with_image_options
from ganzoo.sampling.zip_files import ZipIndex, index_zip, read_member
from ganzoo.spec.parsing import shorten

_ABSENT = f"in {LABELS} alone"
_UNLABELLED = f"without a label in {LABELS}"


class ZippedImages(EncodedImages):
    """Image files in a zip, read in any order without unpacking.

    Args:
        path: the zip.
        names: names of the image files in the zip.
        entries: their positions, as `index_zip` returns them.
        labels: as for `ImageFiles`.
        fitting: as for `ImageFiles`.
        channels: as for `ImageFiles`.
        options: as for `ImageFiles`.

    Attributes:
        counts: numbers of the files that are skipped.
    """

    counts: FileCounts

    def __init__(
        self,
        path: Path,
        names: list[str],
        entries: NDArray[np.void],
        labels: NDArray[np.int64],
        fitting: Fitting,
        channels: int,
        **options: Any,
    ) -> None:
        super().__init__(labels, fitting, channels, **options)
        self.path, self.names, self.entries = path, names, entries
        self.source = path

    def content(self, index: int) -> tuple[str, bytes]:
        """Return an image file: its name and its bytes."""
        name = f"{shorten(self.names[index], 200)} of the zip {self.path}"
        return name, read_member(self.path, name, self.entries[index])

    def key(self, index: int) -> str:
        """Return the name of an image file in the zip."""
        return self.names[index]

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the names, checksums, sizes and labels of all files."""
        digest = hashlib.sha256("\0".join(self.names).encode(errors="surrogateescape"))
        for column in (self.entries["size"], self.entries["crc"], self.labels):
            digest.update(np.ascontiguousarray(column).data)
        return digest.hexdigest()


@with_image_options()
def zip_(
    root: Path | None,
    options: ImageOptions,
    *,
    channels: Literal[1, 3] = 3,
    labels: Literal["auto", "json", "folders", "none"] = "auto",
    skip_corrupt: bool = False,
    value_range: tuple[float, ...] = (),
) -> tuple[ZippedImages, DataSpec]:
    """Image files in one zip, as StyleGAN's dataset_tool writes it, or any zip of a folder.

    Nothing is unpacked: image files are read from the zip in any order, also by worker processes. A
    ``dataset.json`` states the class numbers: ``{"labels": [["00000/img00000000.png", 3], ...]}``,
    or null. Without it, sub-folders are the classes, as in the dataset ``folder``; a top folder
    that holds everything is left out. Hidden files and links are skipped.

    Args:
        root: the zip, or a folder with one zip. Nothing is written to it.
        channels: 3 for colour, 1 for grey.
        labels: ``json`` for those of dataset.json, ``folders`` for one class per sub-folder,
            ``none`` for no classes, or ``auto``.
        skip_corrupt: replace an image that cannot be read by the next one that can, with a warning;
            skip encrypted files and those that dataset.json names but the zip does not hold.
        value_range: values of black and white in grey files, such as 0 4095 for 12 bits; empty for
            the full range of 8 or 16 bits.

    Raises:
        DataNotFoundError: the file does not exist or contains no image files.
        DataError: an argument is not valid; the zip is damaged, encrypted or holds paths that lead
            out of it; dataset.json has another form or names absent files; or an image is corrupt.
    """
    fitting = options.fitting("zip")
    ends = check_value_range("zip", value_range)
    index = index_zip(find_file("zip", root, (".zip",)), skip_corrupt=skip_corrupt)
    if not index.names:
        others = f" (skipped: {describe_counts(index.skipped)})" if index.skipped else ""
        raise DataNotFoundError(
            f"{index.path} contains no image files, such as .png or .jpg{others}. "
            f"{advise_conversion(index.skipped)}A zip in a zip is not read: unpack the outer one. "
            "Pass another zip with --data FILE."
        )
    if labels == "json" and index.labels is None:
        raise DataError(f"{index.path} contains no {LABELS}. Use --dataset.labels auto.")
    if labels in ("auto", "json") and index.labels is not None:
        rows, numbers, names, classes = _labels_of_json(index, skip_corrupt=skip_corrupt)
    else:
        rows, numbers, names, classes = _labels_of_folders(
            index, "auto" if labels == "json" else labels
        )
    chosen = [index.names[k] for k in rows]
    spec = DataSpec(
        ImageSpec(fitting.height, fitting.width, channels),
        classes=classes,
        labels=tuple(names),
        origin=(
            f"{quantity(len(chosen), 'image file')} in the zip {index.path.name!r}{options.flipped}"
        ),
    )
    dataset = ZippedImages(
        index.path,
        chosen,
        index.entries[rows],
        numbers,
        fitting,
        channels,
        skip_corrupt=skip_corrupt,
        value_range=ends,
        flip=options.flip,
    )
    dataset.counts = FileCounts(index.skipped)
    images = ImageList(index.path, chosen, dataset.counts)
    what = f"{describe_empty(classes, numbers)}{options.flipped}"
    dataset.file_counts = describe_files(images, names or range(classes), what)
    dataset.advice = advise_labels(names, labels)
    dataset.warning = warn_of_loose(index.skipped, len(chosen), labels)
    return dataset, spec


_Choice = tuple[NDArray[np.int64], NDArray[np.int64], list[str], int]


def _labels_of_json(index: ZipIndex, *, skip_corrupt: bool) -> _Choice:
    """Return the image files in use, their class numbers, no names, and the number of classes."""
    assert index.labels is not None
    table = read_labels(index.labels, f"{LABELS} of the zip {index.path}")
    if table is None:
        everything = np.arange(len(index.names))
        return everything, np.zeros(len(everything), np.int64), [], 0
    short = [name.removeprefix(index.folder) for name in index.names]
    if absent := table.keys() - set(short):
        name = min(absent)
        if not skip_corrupt:
            raise DataError(
                f"{LABELS} of the zip {index.path} names {quantity(len(absent), 'absent file')}, "
                f"such as {shorten(name, 80)!r}. Write the zip again, or skip such names with "
                "--dataset.skip-corrupt."
            )
        index.skipped[_ABSENT] += len(absent)
    rows = np.array([k for k, name in enumerate(short) if name in table], np.int64)
    if len(rows) < len(short):
        index.skipped[_UNLABELLED] += len(short) - len(rows)
    if not len(rows):
        raise DataError(
            f"{LABELS} of the zip {index.path} names none of its "
            f"{quantity(len(short), 'image file')}, such as {shorten(short[0], 80)!r}. Use "
            "--dataset.labels none, or write the zip again."
        )
    numbers = np.array([table[short[k]] for k in rows], np.int64)
    return rows, numbers, [], int(numbers.max()) + 1


def _labels_of_folders(index: ZipIndex, labels: Labels) -> _Choice:
    """Return the image files in use, and their class numbers; names and number of the classes."""
    paths = [name.removeprefix(index.folder).replace("/", os.sep) for name in index.names]
    counts = FileCounts(Counter())
    images, names = select_classes(ImageList(index.path, paths, counts), labels, "zip")
    index.skipped.update(images.counts.skipped)
    chosen = set(images.names)
    rows = np.array([k for k, path in enumerate(paths) if path in chosen], np.int64)
    place = {name: number for number, name in enumerate(names)}
    numbers = np.array([place.get(first_folder(paths[k]), 0) for k in rows], np.int64)
    return rows, numbers, names, len(names)
