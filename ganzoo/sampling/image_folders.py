"""Find image files in folders, and count the files that are skipped or repeated."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ganzoo.bundle.folder import suggest_folder
from ganzoo.errors import DataError, DataNotFoundError, quantity, shell_word
from ganzoo.spec.json_text import read_json
from ganzoo.spec.parsing import shorten

try:
    from PIL.AvifImagePlugin import SUPPORTED as _READS_AVIF
except ImportError:  # before Pillow 11.3
    _READS_AVIF = False

AVIF = frozenset([".avif"] if _READS_AVIF else [])
ENDINGS = AVIF | {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm"}
# Types of photos that are not read: those of phones, and raw files of cameras.
UNREAD_ENDINGS = frozenset(
    [".heic", ".heif", ".avif", ".jxl", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf"]
).difference(AVIF)
LABELS = "dataset.json"  # of StyleGAN's dataset_tool: the class numbers of images
MAX_LABELS = 2**28  # bytes of this file
# The datasets of single files, by the ending of the file.
FILE_DATASETS = {
    ".zip": "zip",
    ".npy": "arrays",
    ".npz": "arrays",
    ".parquet": "parquet",
    ".tar": "webdataset",
}
_HIDDEN = "hidden"
_BROKEN_LINK = "broken link"
_CYCLE = "link to a folder that contains it"
_NO_FILE = "not a regular file"
_EMPTY = "folder without image files"
_BESIDE = "beside the class folders"
_MAX_REASONS = 6  # in a description

Labels = Literal["auto", "folders", "none"]


@dataclass
class FileCounts:
    """Counts of a dataset's files, besides the number of those in use.

    Attributes:
        skipped: number of other files, by the reason for skipping them.
        repeats: number of files in use that are links to another file in use.
        empty: paths of the folders without image files.
    """

    skipped: Counter[str] = field(default_factory=Counter)
    repeats: int = 0
    empty: list[str] = field(default_factory=list)

    def add(self, other: FileCounts) -> None:
        """Add the counts of another folder."""
        self.skipped += other.skipped
        self.repeats += other.repeats
        self.empty += other.empty

    def describe(self, what: str) -> str:
        """Return one line about the files of a dataset, for its attribute `file_counts`.

        Args:
            what: the number and kind of the files in use, such as ``24 image files``.
        """
        repeats = f"; repeated by links: {self.repeats:,}" if self.repeats else ""
        return f"{what}{repeats}; skipped: {describe_counts(self.skipped) or 'none'}"


@dataclass(frozen=True)
class ImageList:
    """The image files in a folder.

    Attributes:
        folder: the folder.
        names: paths relative to the folder, sorted, in a fifth of the memory of `Path` objects.
        counts: numbers of the files that are skipped or repeated.
    """

    folder: Path
    names: list[str]
    counts: FileCounts

    @property
    def paths(self) -> list[Path]:
        """The paths of the image files."""
        return [self.folder / name for name in self.names]


def find_folder(dataset: str, root: Path | None) -> Path:
    """Return the folder of an image dataset.

    Raises:
        DataNotFoundError: no folder is given, or it does not exist.
    """
    if root is None:
        raise DataNotFoundError(
            f"dataset {dataset!r} needs a folder of image files, but none is given. "
            "Pass --data DIR or set GANZOO_DATA=DIR."
        )
    if not root.is_dir():
        if root.is_file():
            other = FILE_DATASETS.get(root.suffix.lower())
            advice = f"Use --dataset {other}." if other else "Pass a folder with --data DIR."
            raise DataNotFoundError(f"{root} is a file, not a folder. {advice}")
        raise DataNotFoundError(
            f"folder not found: {root}.{suggest_folder(root)} Pass its location with --data DIR."
        )
    return root


def list_images(
    folder: Path, remedy: str = "Pass the folder of the image files with --data DIR."
) -> ImageList:
    """Find all image files in a folder and its sub-folders, without hidden ones.

    Links to files and folders are followed, except to a folder that contains the link. A file that
    links repeat is in the list once for each of its names.

    Args:
        folder: the folder.
        remedy: the last sentence of the error if there are no image files.

    Raises:
        DataNotFoundError: the folder contains no image files.
        DataError: a folder cannot be read.
    """
    counts = FileCounts()
    links: list[str] = []
    skip = len(os.path.join(folder, ""))
    paths = _walk(str(folder), (os.path.realpath(folder),), counts, links)
    names = sorted((path[skip:] for path in paths), key=lambda name: name.split(os.sep))
    if not names:
        others = f" (skipped: {describe_counts(counts.skipped)})" if counts.skipped else ""
        raise DataNotFoundError(
            f"{folder} contains no image files, such as .png or .jpg{others}. "
            f"{advise_conversion(counts.skipped)}{remedy}"
        )
    counts.repeats = count_repeats((os.path.join(folder, name) for name in names), links)
    return ImageList(folder, names, counts)


def select_classes(
    images: ImageList, labels: Labels, dataset: str = "folder"
) -> tuple[ImageList, list[str]]:
    """Return the image files that the dataset ``folder`` uses, and the sorted names of its classes.

    Args:
        images: all image files of a folder.
        labels: ``folders`` for one class per sub-folder, ``none`` for no classes, or ``auto`` for
            classes if most image files are in sub-folders.
        dataset: registered name of the dataset, for error messages.

    Raises:
        DataError: the sub-folders should be classes, and contain no image files; or, with ``auto``,
            a file dataset.json states other classes.
    """
    if labels == "auto" and _has_no_class_folders(images.folder):
        return images, []
    in_folders = [name for name in images.names if first_folder(name)]
    beside = len(images.names) - len(in_folders)
    if labels == "none" or (labels == "auto" and len(in_folders) <= beside):
        return images, []
    if not in_folders:
        raise DataError(
            f"dataset {dataset!r} cannot use the sub-folders of {images.folder} as classes: they "
            "contain no image files. Use --dataset.labels none."
        )
    counts = FileCounts(
        images.counts.skipped + Counter({_BESIDE: beside}),
        images.counts.repeats,
        images.counts.empty,
    )
    chosen = ImageList(images.folder, in_folders, counts)
    return chosen, sorted({first_folder(name) for name in in_folders})


def _has_no_class_folders(folder: Path) -> bool:
    """Return whether StyleGAN's dataset_tool wrote a folder: its sub-folders are no classes.

    Raises:
        DataError: its file dataset.json states classes.
    """
    file = folder / LABELS
    if not file.is_file() or file.stat().st_size > MAX_LABELS:
        return False
    try:
        table = read_json(file.read_bytes())
    except (OSError, ValueError):
        return False
    if not isinstance(table, dict) or "labels" not in table:
        return False
    if table["labels"] is None:
        return True
    raise DataError(
        f"{file} states the classes of the images, which the dataset 'folder' does not read. Make "
        f"a zip, python -m zipfile -c images.zip {shell_word(folder)}, and pass it instead, to a "
        "training with --dataset zip --data images.zip; or leave out the classes: --dataset.labels "
        "none"
    )


def describe_empty(classes: int, numbers: NDArray[np.integer[Any]]) -> str:
    """Return how many classes have no images, such as `` (1 without images)``; empty for none.

    Args:
        classes: number of classes.
        numbers: class numbers of the images.
    """
    empty = classes - len(np.unique(numbers)) if classes else 0
    return f" ({empty:,} without images)" if empty else ""


def describe_files(images: ImageList, classes: Sequence[object], what: str = "") -> str:
    """Return the line about the files of the dataset ``folder``.

    Args:
        images: the image files in use.
        classes: names of the classes; empty if there are none.
        what: more about the files in use.
    """
    in_classes = f"in {quantity(len(classes), 'class')}" if classes else "without classes"
    return images.counts.describe(f"{quantity(len(images.names), 'image file')} {in_classes}{what}")


def advise_labels(classes: Sequence[object], labels: str, option: str = "--dataset.labels") -> str:
    """Return the option against classes that nobody chose; empty if there are none.

    Args:
        classes: as for `describe_files`.
        labels: as for `select_classes`.
        option: name of the option `labels`.
    """
    if labels != "auto" or not classes:
        return ""
    return (
        "The sub-folders are the classes. If their images are of one kind, such as those of albums "
        f"or years, {option} none reads all image files without classes"
    )


def warn_of_loose(skipped: Mapping[str, int], used: int, labels: str) -> str:
    """Return a warning about image files beside the class folders; empty if there are none.

    Args:
        skipped: number of files that are skipped, by the reason.
        used: number of image files in use.
        labels: as for `select_classes`.
    """
    if labels != "auto" or not (loose := skipped.get(_BESIDE, 0)):
        return ""
    return (
        f"{loose:,} of {loose + used:,} images are not used: they are beside the sub-folders, "
        f"which are the classes. --dataset.labels none uses all {loose + used:,}, without classes"
    )


def first_folder(name: str) -> str:
    """Return the first folder of a relative path; empty if there is none."""
    first, separator, _ = name.partition(os.sep)
    return first if separator else ""


def count_repeats(paths: Iterable[str], links: Iterable[str]) -> int:
    """Return how many files repeat another one.

    Args:
        paths: paths of all files.
        links: those of them that are links, or in a folder that is one.
    """
    linked = set(links)
    if not linked:  # saves a system call for each file
        return 0
    files = {_identity(path) for path in paths if path not in linked}
    repeats = 0
    for identity in map(_identity, linked):
        repeats += identity in files
        files.add(identity)
    return repeats


def _identity(path: str) -> tuple[int, int] | str:
    try:
        status = os.stat(path)
    except OSError:  # deleted since it was listed: reading it raises an error
        return path
    return status.st_dev, status.st_ino


def describe_counts(skipped: Counter[str]) -> str:
    """Return the reasons and their numbers in one line, such as ``hidden (3), type .txt (1)``."""
    common = skipped.most_common()
    parts = [f"{shorten(reason)} ({count:,})" for reason, count in common[:_MAX_REASONS]]
    if rest := sum(count for _, count in common[_MAX_REASONS:]):
        parts.append(f"other reasons ({rest:,})")
    return ", ".join(parts)


def advise_conversion(skipped: Counter[str]) -> str:
    """Return what to do about photos of types that are not read; empty if there are none."""
    types = sorted(ending for ending in UNREAD_ENDINGS if f"type {ending}" in skipped)
    return f"Convert {' and '.join(types)} files to JPEG or PNG. " if types else ""


def _walk(
    folder: str,
    above: tuple[str, ...],
    counts: FileCounts,
    links: list[str],
    *,
    linked: bool = False,
) -> Iterator[str]:
    """Yield the paths of image files; directory listings avoid a system call for each file.

    Args:
        folder: the folder.
        above: the real paths of the folder and of all folders on the way to it.
        counts: counts the entries that are no image files.
        links: takes the image files that are links, or in a folder that is one.
        linked: whether a link leads to the folder.
    """
    try:
        entries = list(os.scandir(folder))
    except OSError as error:
        raise DataError(
            f"cannot read the folder {folder}: {error.strerror}. Change its permissions, or "
            "remove it."
        ) from error
    empty = True
    for entry in entries:
        if reason := _reason(entry, above):
            counts.skipped[reason] += 1
            continue
        if not entry.is_dir():
            paths: Iterable[str] = (entry.path,)
            if linked or entry.is_symlink():
                links.append(entry.path)
        elif entry.is_symlink():
            real = os.path.realpath(entry.path)
            paths = _walk(entry.path, (*above, real), counts, links, linked=True)
        else:
            real = os.path.join(above[-1], entry.name)
            paths = _walk(entry.path, (*above, real), counts, links, linked=linked)
        for path in paths:
            empty = False
            yield path
    if empty:
        counts.skipped[_EMPTY] += 1
        counts.empty.append(folder)


def _reason(entry: os.DirEntry[str], above: tuple[str, ...]) -> str:
    """Return why an entry is skipped; empty for an image file and for a folder to read."""
    ending = os.path.splitext(entry.name)[1].lower()
    if entry.name.startswith("."):
        return _HIDDEN
    if entry.is_dir(follow_symlinks=False):
        return ""
    if entry.is_dir():
        real = os.path.realpath(entry.path)
        return _CYCLE if any(_contains(real, place) for place in above) else ""
    if entry.is_symlink() and not os.path.exists(entry.path):
        return _BROKEN_LINK
    if ending not in ENDINGS:
        return f"type {ending}" if ending else "no extension"
    return "" if entry.is_file() else _NO_FILE


def _contains(folder: str, place: str) -> bool:
    return place == folder or place.startswith(os.path.join(folder, ""))
