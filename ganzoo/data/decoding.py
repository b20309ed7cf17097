"""Decoding of a whole dataset to uint8, on all cores."""

from __future__ import annotations

import io
import math
import mmap
import multiprocessing
import pickle
import sys
import time
import warnings
from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, TensorDataset

from ganzoo.data.read_warnings import ReadWarnings
from ganzoo.data.reading import (
    CHUNK,
    Failure,
    Items,
    Read,
    Reader,
    as_labels,
    check_items,
    chunks,
    count_files,
    count_values,
)
from ganzoo.data.workers import WorkerReads, count_cores
from ganzoo.errors import GanzooError, quantity
from ganzoo.spec import DataSpec
from ganzoo.system.bars import progress_bar

READ_BYTES = 2**22  # decoded images of one read
WORTH = 0.5  # seconds of work for which a process is started


class Store(Protocol):
    """A place for the items of a dataset. Worker processes write to it, too."""

    def put(self, start: int, items: Items) -> None:
        """Store consecutive items.

        Args:
            start: index of the first one.
            items: the items.

        Raises:
            OutputError: a file cannot be written.
        """


class Decoding(NamedTuple):
    """How a dataset was decoded.

    Attributes:
        images: number of images.
        seconds: elapsed time.
        processes: number of processes that decoded.
        warnings: the texts of the warnings that were shown, and their classes.
        counts: numbers of files by name, see `ReadWarnings`.
    """

    images: int
    seconds: float
    processes: int
    warnings: dict[str, type[Warning]]
    counts: Mapping[str, int]

    def __str__(self) -> str:
        processes = quantity(self.processes, "process")
        return f"{self.images / max(self.seconds, 1e-3):,.0f} images/s on {processes}"


def decode(dataset: Dataset[tuple[Tensor, ...]], spec: DataSpec, shown: bool = False) -> Items:
    """Return all items of a dataset in its order.

    If the images take longer than a second to decode, a process on each core decodes them, unless
    the dataset cannot be pickled. The items, warnings and errors are those of one process.

    Args:
        dataset: as for `Batches`.
        spec: the dataset's spec.
        shown: show a progress bar on a terminal.

    Raises:
        DataError: the images do not match the spec, or an image is corrupt.
    """
    return decode_timed(dataset, spec, shown)[0]


def decode_timed(
    dataset: Dataset[tuple[Tensor, ...]],
    spec: DataSpec,
    shown: bool = False,
    workers: int | None = None,
) -> tuple[Items, Decoding | None]:
    """Return the result of `decode`, and how it was decoded; None if it was decoded already.

    Args:
        dataset: as for `decode`.
        spec: as for `decode`.
        shown: as for `decode`.
        workers: as for `decode_into`.
    """
    if isinstance(dataset, TensorDataset):
        images, labels, *rest = dataset.tensors
        conditions = rest[0].contiguous() if spec.condition is not None else None
        items = Items(images.contiguous(), as_labels(labels), conditions)
        check_items(items, spec)
        return items, None
    store = MemoryStore(len(dataset), spec)  # type: ignore[arg-type]
    decoding = decode_into(store, dataset, spec, shown, workers)
    return store.items, decoding


def decode_into(
    store: Store,
    dataset: Dataset[tuple[Tensor, ...]],
    spec: DataSpec,
    shown: bool = False,
    workers: int | None = None,
) -> Decoding:
    """Decode a dataset into a store.

    Args:
        store: the store.
        dataset: as for `Batches`.
        spec: the dataset's spec.
        shown: show a progress bar on a terminal.
        workers: the most worker processes, by default `decoding_workers`.

    Raises:
        DataError: the images do not match the spec, or an image is corrupt.
        OutputError: the store is a file that cannot be written.
    """
    length = len(dataset)  # type: ignore[arg-type]
    places = chunks(length, min(max(READ_BYTES // count_values(spec), 1), CHUNK))
    reads = _GradualReads(
        _StoringReader(dataset, spec, store),
        places,
        decoding_workers() if workers is None else workers,
    )
    notices = ReadWarnings(count_files(dataset), ends=True)
    start = time.perf_counter()
    with progress_bar(
        None, "decoding images", total=length, unit=" images", visible=shown
    ) as progress:
        for read, (index, _) in zip(reads, places, strict=True):
            notices.show(read)
            progress.update(len(index))
    notices.finish()
    seconds = time.perf_counter() - start
    return Decoding(length, seconds, reads.processes, notices.texts, notices.counts)


def decoding_workers(ranks: int = 1) -> int:
    """Return the default number of worker processes that decode.

    It is 0 where processes are not forked, such as on macOS and Windows: they would import the
    script that calls this, and only some scripts have a main guard.

    Args:
        ranks: number of processes on this machine that decode at the same time.
    """
    forks = sys.platform == "linux" and (
        multiprocessing.get_start_method(allow_none=True) in (None, "fork")
    )
    cores = count_cores() // ranks
    return cores if cores > 1 and forks and not multiprocessing.current_process().daemon else 0


class MemoryStore:
    """Items in memory that forked processes share.

    Attributes:
        items: the items.
    """

    def __init__(self, length: int, spec: DataSpec) -> None:
        self.items = Items(
            _shared((length, *spec.image.shape), torch.uint8),
            _shared((length,), torch.int64),
            None
            if spec.condition is None
            else _shared((length, *spec.condition.shape), torch.uint8),
        )

    def put(self, start: int, items: Items) -> None:
        """Store consecutive items."""
        for target, values in zip(self.items, items, strict=True):
            if target is not None and values is not None:
                target[start : start + len(values)] = values


def _shared(shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    """Return a tensor in anonymous memory, which unlike /dev/shm has no limit in containers."""
    size = math.prod(shape) * dtype.itemsize
    if size == 0:
        return torch.empty(shape, dtype=dtype)
    return torch.frombuffer(mmap.mmap(-1, size), dtype=dtype).reshape(shape)


class _StoringReader(Reader):
    """A reader that stores the items in the process that reads them, and does not return them."""

    def __init__(self, dataset: Dataset[tuple[Tensor, ...]], spec: DataSpec, store: Store) -> None:
        super().__init__(dataset, spec)
        self.store = store

    def __getitem__(self, places: tuple[Sequence[int], Sequence[int]]) -> Read:
        read = super().__getitem__(places)
        if read.items is not None:
            try:
                self.store.put(places[0][0], read.items)
            except GanzooError as error:
                read = read._replace(failure=Failure(type(error), str(error)))
        return read._replace(items=None)


def _holds_no_file(dataset: Dataset[tuple[Tensor, ...]]) -> bool:
    """Return whether processes can read a dataset at the same time: it can be pickled.

    Processes that share an open file would move its position for each other.
    """
    try:
        _Probe(io.BytesIO()).dump(dataset)
    except Exception:  # noqa: BLE001 - pickling may raise anything
        return False
    return True


class _Probe(pickle.Pickler):
    """Pickles an object without the values of its arrays."""

    def reducer_override(self, value: Any) -> Any:
        """Return what is stored of a value: nothing of arrays."""
        return (int, ()) if isinstance(value, Tensor | np.ndarray) else NotImplemented


class _GradualReads:
    """Reads in this process, and in worker processes if the rest is worth their start.

    Args:
        reader: the reader.
        places: its indices.
        workers: the most worker processes.

    Attributes:
        processes: number of processes that read.
    """

    def __init__(
        self, reader: _StoringReader, places: list[tuple[range, range]], workers: int
    ) -> None:
        self.processes = 1
        self._reader = reader
        self._places = places
        self._workers = workers

    def __iter__(self) -> Iterator[Read]:
        number = yield from self._alone()
        if number < len(self._places):
            yield from self._together(self._places[number:])

    def _alone(self) -> Generator[Read, None, int]:
        """Read until worker processes are worth their start; return the number of reads."""
        seconds = 0.0
        for number, place in enumerate(self._places):
            start = time.perf_counter()
            read = self._reader[place]
            if number:  # the first read also imports decoders
                seconds += time.perf_counter() - start
            yield read
            left = len(self._places) - number - 1
            workers = min(self._workers, left, int(seconds / max(number, 1) * left / WORTH))
            if workers > 1 and _holds_no_file(self._reader.dataset):
                self.processes = workers
                return number + 1
            if workers > 1:
                self._workers = 0
        return len(self._places)

    def _together(self, places: list[tuple[range, range]]) -> Iterator[Read]:
        position = 0
        try:
            for read in WorkerReads(self._reader, places, workers=self.processes, method="fork"):
                yield read
                position += 1
        except (RuntimeError, OSError) as error:  # no memory for a process, or its death
            warnings.warn(
                f"{str(error).partition('. ')[0]}. The main process decodes the other images",
                stacklevel=2,
            )
            self.processes = 1
            yield from (self._reader[place] for place in places[position:])
