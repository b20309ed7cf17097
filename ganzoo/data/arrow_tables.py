"""Tables of images in Arrow files, which the library `datasets` converts and maps into memory.

No other module imports the library. It reads local files only, by its readers of Parquet files and
of image files; it never guesses a reader, since some of its readers unpickle. Its function
`load_dataset` would count the use on a server, so it is not called. The Arrow files are in ganzoo's
cache folder, with a checksum of each image file, which is compared when the image is read.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import logging
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganzoo.bundle.files import write_file
from ganzoo.errors import DataError, ImageFileError, OutputError
from ganzoo.sampling.file_times import hash_times
from ganzoo.spec.lfs import explain_pointer
from ganzoo.spec.parsing import shorten
from ganzoo.system.bars import rewrites_lines
from ganzoo.system.cache import cache_folder
from ganzoo.system.dependencies import quiet_imports
from ganzoo.system.quiet import quiet

MAX_COLUMNS = 30  # in an error message


class ImageTable:
    """The columns of images and labels of a table.

    Rows are read from memory-mapped Arrow files, in any order, by any process.

    Args:
        files: the Arrow files.
        column: name of the column of images.
        roots: folders that image files outside of the table can be in.
        checksums: CRC-32 of each image file, uint32 (n,); by default those beside the Arrow files.

    Attributes:
        files: the Arrow files.
    """

    def __init__(
        self,
        files: Sequence[str],
        column: str,
        roots: Sequence[Path],
        checksums: NDArray[np.uint32] | None = None,
    ) -> None:
        self.files, self._column = tuple(files), column
        self._roots = tuple(root.resolve() for root in roots)
        self._table = _map_tables(self.files)
        feature = self._table.features[column]
        self._images = _undecoded(self._table.select_columns([column]), column, feature)
        if checksums is None:
            data = self._table.data.column(column)
            checksums = self._read_checksums(column, lambda: _sum_files(data))
        self._checksums = checksums
        if checksums.shape != (len(self),):
            raise self._damaged("the list of checksums")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.files, self._column, self._roots, self._checksums)

    def __len__(self) -> int:
        return len(self._table)

    def read(self, index: int) -> bytes:
        """Return the image file of a row.

        Raises:
            ImageFileError: the row has none, or names one outside of the folders.
            DataError: the image file cannot be read, or the Arrow file is damaged.
        """
        cell = self._images[index][self._column]
        content = cell.get("bytes") if isinstance(cell, dict) else cell
        if isinstance(content, bytes):
            if zlib.crc32(content) != self._checksums[index]:
                raise self._damaged(f"the image of row {index:,}")
            return content
        path = cell.get("path") if isinstance(cell, dict) else None
        if not path:
            raise ImageFileError(f"row {index:,} has no image. Remove it.")
        place = self._find(path)
        if place is None:
            raise ImageFileError(
                f"row {index:,} names the image file {shorten(str(path), 80)!r}, which is not a "
                "file below the data folder. ganzoo reads no other files for a dataset. Remove it."
            )
        try:
            return place.read_bytes()
        except OSError as error:
            raise DataError(f"cannot read {place}: {error.strerror}. Restore the file.") from error

    @property
    def timestamps(self) -> str:
        """The result of `hash_times` for the Arrow files, and for image files that rows name."""
        import pyarrow
        from pyarrow import compute

        column, named = self._table.data.column(self._column), []
        if pyarrow.types.is_struct(column.type) and "path" in [each.name for each in column.type]:
            absent = column.filter(compute.is_null(compute.struct_field(column, "bytes")))
            paths = compute.struct_field(absent, "path").to_pylist()
            named = [str(place) for path in paths if path and (place := self._find(path))]
        return hash_times([*self.files, *named])

    def _read_checksums(
        self, column: str, compute: Callable[[], NDArray[np.uint32]]
    ) -> NDArray[np.uint32]:
        """Return the stored checksums of a column. Computes and stores them if there are none."""
        name = hashlib.sha256(column.encode(errors="surrogateescape")).hexdigest()[:16]
        file = Path(self.files[0]).with_name(f"crc32-{name}.npy")
        with contextlib.suppress(OSError, ValueError, EOFError):  # of an empty file, too
            return np.asarray(np.load(file, allow_pickle=False), np.uint32)
        values, content = compute(), io.BytesIO()
        np.save(content, values)
        with contextlib.suppress(OutputError):
            write_file(file, content.getvalue())
        return values

    def _damaged(self, part: str) -> DataError:
        folder = Path(self.files[0]).parent
        return DataError(
            f"the cache of the dataset, {folder}, is damaged: {part} differs from the one that was "
            "written. Delete this folder; the next start converts the dataset again. Check the "
            "disk if this happens again."
        )

    def _find(self, path: str) -> Path | None:
        """Return the place of an image file that a row names, if it is one below the folders."""
        place = Path(path).resolve()
        inside = any(place.is_relative_to(root) for root in self._roots)
        return place if inside and place.is_file() else None

    def labels(self, column: str) -> tuple[NDArray[np.int64], tuple[str, ...]]:
        """Return the class number of each row, and the names of the classes if there are any.

        A column of text has the sorted texts as classes. A row without a label has the number -1.

        Raises:
            DataError: the column is neither class numbers nor text, or the Arrow file is damaged.
        """
        feature = self._table.features[column]
        values = self._table.data.column(column).to_pylist()
        kind = str(getattr(feature, "dtype", type(feature).__name__))
        is_text = kind in ("string", "large_string")
        if is_text or kind.startswith(("int", "uint")):
            checksum = np.array([zlib.crc32(repr(values).encode())], np.uint32)
            if not np.array_equal(self._read_checksums(column, lambda: checksum), checksum):
                raise self._damaged(f"the column {column!r}")
        if is_text:
            names = sorted({value for value in values if value is not None})
            place = {name: number for number, name in enumerate(names)}
            return np.array([place.get(value, -1) for value in values], np.int64), tuple(names)
        if not kind.startswith(("int", "uint")):
            raise DataError(
                f"the column {column!r} is of the type {kind}, but labels are class numbers or "
                "text. Choose another with --dataset.label-column, or leave the option out."
            )
        largest = np.iinfo(np.int64).max  # below that of uint64, and no class number either
        numbers = [-1 if value is None else min(value, largest) for value in values]
        labels = np.array(numbers, np.int64)
        return labels, tuple(getattr(feature, "names", None) or ())


def import_library() -> None:
    """Import the library, which takes a second.

    Raises:
        ModuleNotFoundError: it is not installed.
    """
    with quiet_imports():
        import datasets  # noqa: F401
        import pyarrow  # noqa: F401


def open_parquet(
    files: Sequence[Path], image_column: str, label_column: str, roots: Sequence[Path] = ()
) -> ImageTable:
    """Return the images of Parquet files, converted to Arrow files once.

    Args:
        files: the files, of the same columns.
        image_column: name of the column of images.
        label_column: name of the column of labels; empty for none.
        roots: as for `ImageTable`.

    Raises:
        ModuleNotFoundError: the library `datasets` is not installed.
        DataError: a file is damaged, a column is absent or has another type, or columns differ.
        OutputError: the cache cannot be written.
    """
    with quiet_imports():
        import pyarrow.parquet
        from datasets.packaged_modules.parquet.parquet import Parquet

    filled = []
    for file in files:
        try:
            metadata = pyarrow.parquet.read_metadata(file)
            names = metadata.schema.to_arrow_schema().names
        except Exception as error:  # the reader of a damaged file may raise anything
            if pointer := explain_pointer(file):
                raise DataError(pointer) from error
            raise DataError(
                f"cannot read {file}: {_brief(error)}. Write the file again."
            ) from error
        _check_columns(names, image_column, label_column, str(file))
        if metadata.num_rows:
            filled.append(file)
    if not filled:
        raise DataError(f"{files[0]} has no rows. Choose another --dataset.split or file.")
    columns = list(dict.fromkeys(filter(None, (image_column, label_column))))
    return _convert(Parquet, filled, image_column, roots, columns=columns)


def open_image_files(
    files: Sequence[Path], image_column: str, label_column: str, root: Path
) -> ImageTable:
    """Return image files, with the columns of a ``metadata.csv`` or ``.jsonl`` among them.

    Without one, the column ``label`` has the folder of each file.

    Args:
        files: the image files, and files of metadata.
        image_column: as for `open_parquet`.
        label_column: as for `open_parquet`.
        root: the folder of the files.

    Raises:
        ModuleNotFoundError, DataError, OutputError: as for `open_parquet`.
    """
    with quiet_imports():
        from datasets.packaged_modules.imagefolder.imagefolder import ImageFolder

    table = _convert(ImageFolder, files, "image", [root])
    _check_columns(table._table.column_names, image_column, label_column, str(root))
    return ImageTable(table.files, image_column, [root])


def _convert(
    kind: Any, files: Sequence[Path], column: str, roots: Sequence[Path], **arguments: Any
) -> ImageTable:
    """Convert files to Arrow files, unless the cache has them."""
    from datasets.data_files import DataFilesDict, DataFilesList

    paths = [str(file.resolve()) for file in files]
    states = [(path, *_state(Path(path))) for path in paths]
    cache = cache_folder() / "arrow"
    key = hashlib.sha256(repr((kind.__name__, states, sorted(arguments.items()))).encode())
    try:
        with _quiet_library():
            builder = kind(
                cache_dir=str(cache),
                data_files=DataFilesDict({"train": DataFilesList(paths, states)}),
                hash=key.hexdigest()[:32],
                **arguments,
            )
            builder.download_and_prepare()
            table = builder.as_dataset(split="train", in_memory=False)
        return ImageTable([each["filename"] for each in table.cache_files], column, roots)
    except DataError:
        raise
    except OSError as error:
        if error.errno is None:  # of Arrow, about a file's content
            raise _unreadable(files, error) from error
        raise OutputError(
            f"cannot write to {cache}: {error.strerror or error}. Set GANZOO_CACHE to a folder "
            "that can be written."
        ) from error
    except Exception as error:  # the library raises anything for a damaged file
        raise _unreadable(files, error) from error


def _map_tables(files: Sequence[str]) -> Any:
    with quiet_imports():
        from datasets import Dataset, concatenate_datasets

    with _quiet_library():
        return concatenate_datasets([Dataset.from_file(file) for file in files])


def _sum_files(column: Any) -> NDArray[np.uint32]:
    """Return the CRC-32 of the image file in each row of a column; 0 for a row without one."""
    import pyarrow
    from pyarrow import compute

    sums = []
    for chunk in column.chunks:
        if pyarrow.types.is_struct(chunk.type):
            chunk = compute.struct_field(chunk, "bytes")
        buffers = (value.as_buffer() for value in chunk)
        sums += [0 if buffer is None else zlib.crc32(buffer) for buffer in buffers]
    return np.array(sums, np.uint32)


def _undecoded(table: Any, column: str, feature: Any) -> Any:
    """Return a table whose column has the bytes of image files."""
    from datasets import Image, Value

    if isinstance(feature, Image):
        return table.cast_column(column, Image(decode=False))
    if isinstance(feature, Value) and feature.dtype in ("binary", "large_binary"):
        return table
    if isinstance(feature, dict) and "bytes" in feature:
        return table
    kind = getattr(feature, "dtype", type(feature).__name__)
    raise DataError(
        f"the column {column!r} is of the type {kind}, but images are image files in bytes. Choose "
        "another with --dataset.image-column."
    )


def _check_columns(names: Sequence[str], images: str, labels: str, where: str) -> None:
    for option, column in (("image-column", images), ("label-column", labels)):
        if column and column not in names:
            some = ", ".join(shorten(name, 60) for name in names[:MAX_COLUMNS])
            more = ", ..." * (len(names) > MAX_COLUMNS)
            raise DataError(
                f"{where} has no column {column!r}. Its columns: {some or 'none'}{more}. Name one "
                f"with --dataset.{option} NAME."
            )


def _state(file: Path) -> tuple[int, int]:
    status = file.stat()
    return status.st_mtime_ns, status.st_size


@contextlib.contextmanager
def _quiet_library() -> Iterator[None]:
    """Hide the library's logs and warnings, and its progress bars if stderr is no terminal."""
    from datasets.utils import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    logger = logging.getLogger("datasets")
    level = logger.level
    hidden = not are_progress_bars_disabled() and not rewrites_lines()
    with quiet():
        logger.setLevel(logging.CRITICAL)  # it logs the errors that it raises
        if hidden:
            disable_progress_bars()
        try:
            yield
        finally:
            logger.setLevel(level)
            if hidden:
                enable_progress_bars()


def _unreadable(files: Sequence[Path], error: BaseException) -> DataError:
    cause: BaseException = error
    while cause.__cause__ is not None:  # the library wraps the reason
        cause = cause.__cause__
    return DataError(
        f"cannot convert {files[0]} and {len(files) - 1:,} more files: {_brief(cause)}. Check that "
        "all have the same columns."
        if len(files) > 1
        else f"cannot convert {files[0]}: {_brief(cause)}. Write the file again."
    )


def _brief(error: BaseException) -> str:
    return shorten(" ".join(str(error).split()), 300).removesuffix(".") or type(error).__name__
