"""Images in Parquet files, from a folder or from the Hugging Face Hub."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from ganzoo import DataSpec, ImageSpec
from ganzoo.builtin.image_files import metadata
from ganzoo.builtin.image_files.encoded import EncodedImages
from ganzoo.builtin.image_files.repositories import (
    PARQUET,
    choose_images,
    choose_parquet,
    find_license,
)
from ganzoo.errors import DataError, DataNotFoundError, quantity
from ganzoo.sampling.image_depth import ValueRange, check_value_range
from ganzoo.sampling.image_fits import Fitting
from ganzoo.sampling.image_folders import ENDINGS, describe_empty, find_folder
from ganzoo.sampling.image_options import ImageOptions, with_image_options
from ganzoo.spec import MAX_CLASSES

if TYPE_CHECKING:
    from ganzoo.data.arrow_tables import ImageTable


class TableImages(EncodedImages):
    """Image files in the rows of a table.

    Args:
        table: the table.
        rows: indices of the rows in use.
        labels: as for `ImageFiles`.
        fitting: as for `ImageFiles`.
        channels: as for `ImageFiles`.
        name: name of the table in error messages.
        facts: what identifies the table, for the fingerprint.
        options: as for `ImageFiles`.
    """

    def __init__(
        self,
        table: ImageTable,
        rows: NDArray[np.int64],
        labels: NDArray[np.int64],
        fitting: Fitting,
        channels: int,
        *,
        name: str,
        facts: Sequence[object],
        **options: Any,
    ) -> None:
        super().__init__(labels, fitting, channels, **options)
        self.table, self.rows, self.name, self.facts = table, rows, name, facts

    def content(self, index: int) -> tuple[str, bytes]:
        """Return an image file: its name and its bytes."""
        row = int(self.rows[index])
        return f"in row {row:,} of {self.name}", self.table.read(row)

    def key(self, index: int) -> str:
        """Return the number of a row."""
        return str(int(self.rows[index]))

    @property
    def timestamps(self) -> str:
        """The modification times of the table's files, which a cache of decoded images checks."""
        return self.table.timestamps

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of what identifies the table, and of all labels."""
        digest = hashlib.sha256("\0".join(map(str, self.facts)).encode(errors="surrogateescape"))
        digest.update(np.ascontiguousarray(self.labels).data)
        return digest.hexdigest()


@with_image_options(before="channels", name="the number of the row")
def parquet(
    root: Path | None,
    options: ImageOptions,
    *,
    image_column: str = "image",
    label_column: str = "",
    split: str = "train",
    channels: Literal[1, 3] = 3,
    skip_corrupt: bool = False,
    value_range: tuple[float, ...] = (),
) -> tuple[TableImages, DataSpec]:
    """Images in the rows of Parquet files, as datasets on the Hugging Face Hub have them.

    The library ``datasets`` (the extra ``datasets``) converts the files once to Arrow files in
    ganzoo's cache folder. Rows are read from there in any order, by worker processes, in memory
    that does not grow with the dataset. Nothing uses the network.

    Args:
        root: a .parquet file, or a folder of such files. Nothing is written to it.
        image_column: name of the column of images: image files in bytes.
        label_column: name of the column of labels: class numbers, or text, whose sorted values are
            the classes. Empty for no labels.
        split: part of the dataset: files with a word such as ``train`` in their path. If no path
            has such a word, all files are of ``train``.
        channels: 3 for colour, 1 for grey.
        skip_corrupt: replace an image that cannot be read by the next one that can, with a warning;
            skip rows without a label.
        value_range: values of black and white in grey files, such as 0 4095 for 12 bits; empty for
            the full range of 8 or 16 bits.

    Raises:
        DataNotFoundError: the file does not exist, or the folder has no Parquet files.
        DataError: an argument is not valid, a column is absent or of another type, a file is
            damaged, or an image is corrupt.
    """
    fitting = options.fitting("parquet")
    ends = check_value_range("parquet", value_range)
    chosen = _Options(label_column, fitting, channels, skip_corrupt, ends, options)
    return _open_parquet(root, split, image_column, chosen)


@with_image_options(before="channels", name="the number of the row")
def hub(
    root: Path | None,
    options: ImageOptions,
    *,
    repository: str = "",
    revision: str = "",
    subset: str = "",
    split: str = "train",
    image_column: str = "image",
    label_column: str = "",
    channels: Literal[1, 3] = 3,
    skip_corrupt: bool = False,
    value_range: tuple[float, ...] = (),
) -> tuple[TableImages, DataSpec]:
    """Images of a dataset on the Hugging Face Hub, or of a local copy of one.

    The Parquet files of the split are downloaded once into ganzoo's cache folder, without any code
    of the repository, and read as by the dataset ``parquet``. The licence in the dataset's README
    and the commit are recorded in the model. A commit in the cache is used without the network.
    Without a repository, `root` is the local copy: Parquet files, or image files, perhaps in
    folders named as splits, and with a metadata.csv of columns; without one, the column ``label``
    has the folder of each image file.

    Args:
        root: folder of a local copy; not used with a repository. Nothing is written to it.
        repository: ``org/name`` of the dataset.
        revision: branch, tag or commit; empty for the newest commit of the main branch.
        subset: name of a subset in the README; empty for the default one.
        split: part of the dataset.
        image_column: name of the column of images.
        label_column: name of the column of labels: class numbers, or text, whose sorted values are
            the classes. Empty for no labels.
        channels: 3 for colour, 1 for grey.
        skip_corrupt: replace an image that cannot be read by the next one that can, with a warning;
            skip rows without a label.
        value_range: values of black and white in grey files, such as 0 4095 for 12 bits; empty for
            the full range of 8 or 16 bits.

    Raises:
        DataNotFoundError: neither a repository nor a folder is given, or it has no such files.
        DataError: as for the dataset ``parquet``, or there is no such subset or split.
        HubError: the repository or revision does not exist, needs a login, or is unreachable.
    """
    fitting = options.fitting("hub")
    ends = check_value_range("hub", value_range)
    chosen = _Options(label_column, fitting, channels, skip_corrupt, ends, options)
    if repository:
        return _open_repository(repository, revision, subset, split, image_column, chosen)
    if root is None:
        raise DataNotFoundError(
            "dataset 'hub' needs a repository, or the folder of a local copy. Use "
            "--dataset.repository org/name, or pass --data DIR."
        )
    if _holds_images(root):
        if subset:
            raise DataError(
                f"{root} holds image files, which have no subsets. Leave out --dataset.subset, or "
                "pass the folder of the subset with --data."
            )
        return _open_images(root, split, image_column, chosen)
    return _open_parquet(root, split, image_column, chosen, subset, has_header=True)


@dataclass(frozen=True)
class _Options:
    label_column: str
    fitting: Fitting
    channels: int
    skip_corrupt: bool
    value_range: ValueRange | None
    images: ImageOptions


def _open_parquet(
    root: Path | None,
    split: str,
    image_column: str,
    options: _Options,
    subset: str = "",
    *,
    has_header: bool = False,
) -> tuple[TableImages, DataSpec]:
    from ganzoo.data.arrow_tables import open_parquet

    header: dict[str, Any] = {}
    if root is not None and root.is_file():
        files, place = [root], root
    else:
        place = find_folder("parquet", root)
        header = _read_header(place) if has_header else {}
        names = choose_parquet(_list_files(place), header, subset, split, str(place))
        files = [place / name for name in names]
    table = open_parquet(files, image_column, options.label_column, [files[0].parent])
    return _make_dataset(
        table,
        options,
        name=str(place),
        origin=f"in the Parquet files of {place.name!r}, {subset and f'{subset}, '}split {split}",
        facts=[fact for file in files for fact in (file.name, file.stat().st_size)]
        + [image_column, options.label_column],
        license=find_license(header),
    )


def _open_repository(
    repository: str,
    revision: str,
    subset: str,
    split: str,
    image_column: str,
    options: _Options,
) -> tuple[TableImages, DataSpec]:
    from ganzoo.data.arrow_tables import import_library, open_parquet
    from ganzoo.hub.dataset_files import list_dataset

    import_library()  # before anything is downloaded
    listing = list_dataset(repository, revision)
    names = choose_parquet(listing.names, listing.header, subset, split, repository)
    table = open_parquet(listing.fetch(names), image_column, options.label_column)
    version = f"{subset}, " * bool(subset) + f"split {split}, commit {listing.commit}"
    return _make_dataset(
        table,
        options,
        name=repository,
        origin=f"of {repository} on the Hugging Face Hub, {version}",
        facts=[repository, listing.commit, *names, image_column, options.label_column],
        license=find_license(listing.header),
        hub=repository,
    )


def _holds_images(root: Path) -> bool:
    """Return whether a folder has image files and no Parquet files."""
    endings = {Path(name).suffix.lower() for name in _list_files(root)} if root.is_dir() else set()
    return bool(endings & ENDINGS) and PARQUET not in endings


def _read_header(folder: Path) -> dict[str, Any]:
    """Return the header of the README of a local copy of a dataset; empty if it has none."""
    card = folder / "README.md"
    if not card.is_file():
        return {}
    from ganzoo.hub.dataset_files import read_card

    return read_card(str(folder), card)


def _open_images(
    root: Path, split: str, image_column: str, options: _Options
) -> tuple[TableImages, DataSpec]:
    from ganzoo.data.arrow_tables import open_image_files

    names = [
        name
        for name in _list_files(root)
        if Path(name).suffix.lower() in ENDINGS or Path(name).name in metadata.NAMES
    ]
    names = choose_images(names, split, str(root))
    files = [root / name for name in names]
    for file in files:
        if file.name in metadata.NAMES:
            metadata.check_metadata(file)
    table = open_image_files(files, image_column, options.label_column, root)
    return _make_dataset(
        table,
        options,
        name=str(root),
        origin=f"in the folder {root.name!r}",
        facts=[*names, *(file.stat().st_size for file in files), options.label_column],
    )


def _list_files(folder: Path) -> list[str]:
    """Return the paths of all files in a folder that are not hidden, with ``/``, sorted."""
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(p.as_posix() for p in paths if not any(part.startswith(".") for part in p.parts))


def _make_dataset(
    table: ImageTable,
    options: _Options,
    *,
    name: str,
    origin: str,
    facts: Sequence[object],
    license: str | None = None,
    hub: str = "",
) -> tuple[TableImages, DataSpec]:
    count, column = len(table), options.label_column
    rows, numbers, names = np.arange(count), np.zeros(count, np.int64), tuple[str, ...]()
    if column:
        numbers, names = table.labels(column)
        rows = np.flatnonzero(numbers >= 0)
        if len(rows) < count and not options.skip_corrupt:
            raise DataError(
                f"{count - len(rows):,} of the {count:,} rows of {name} have no label in the "
                f"column {column!r}. Leave out --dataset.label-column, or skip such rows with "
                "--dataset.skip-corrupt."
            )
        numbers = numbers[rows]
    if not len(rows):
        raise DataError(f"{name} has no rows that can be used. Choose another --dataset.split.")
    classes = (len(names) or int(numbers.max()) + 1) if column else 0
    if int(numbers.max()) >= max(classes, 1) or classes > MAX_CLASSES:
        raise DataError(
            f"the column {column!r} of {name} has the class number {numbers.max()}, but there are "
            f"{classes:,} classes, and the limit is {MAX_CLASSES:,}. Choose another column."
        )
    flipped = options.images.flipped
    try:
        spec = DataSpec(
            ImageSpec(options.fitting.height, options.fitting.width, options.channels),
            classes=classes,
            labels=names,
            license=license,
            origin=f"{quantity(len(rows), 'image')} {origin}{flipped}",
            hub=hub,
        )
    except ValueError as error:  # of the names of classes
        raise DataError(f"the column {column!r} of {name}: {error}.") from error
    images = TableImages(
        table,
        rows,
        numbers,
        options.fitting,
        options.channels,
        name=name,
        facts=facts,
        skip_corrupt=options.skip_corrupt,
        value_range=options.value_range,
        flip=options.images.flip,
    )
    in_classes = (
        f"in {quantity(classes, 'class')}{describe_empty(classes, numbers)}"
        if classes
        else "without classes"
    )
    skipped = f"without a label ({count - len(rows):,})" if len(rows) < count else "none"
    images.file_counts = f"{quantity(len(rows), 'row')} {in_classes}{flipped}; skipped: {skipped}"
    return images, spec
