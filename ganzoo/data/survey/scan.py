"""Read all image files of a folder on all cores."""

from __future__ import annotations

import functools
import os
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ganzoo.data.survey.image_records import SIDE, ImageRecord, read_records
from ganzoo.data.survey.pool import map_parallel
from ganzoo.errors import DataError, quantity
from ganzoo.sampling.image_depth import ValueRange
from ganzoo.sampling.image_folders import ImageList
from ganzoo.sampling.image_warnings import ImageNotes
from ganzoo.sampling.progress import Progress

MIN_CHUNK, MAX_CHUNK = 8, 32  # files that a worker process reads in one call
CALLS = 8  # calls for each process before chunks grow, so that all processes end together


@dataclass(frozen=True)
class Scan:
    """The properties of the readable image files of a folder, about 150 bytes for each.

    Attributes:
        indices: their places in the list of files, int64 (n,).
        sizes: width and height, int64 (n, 2).
        hashes: uint64 (n, 2), see `ImageHash`.
        levels: uint8 (n, 81).
        digests: 16 bytes each (n,).
        grey: whether an image has no colour, bool (n,).
        formats, modes, bits: numbers of files.
        turned: number of files that EXIF turns or mirrors.
        bytes: size of all files.
        unreadable: the reasons, by the place of the file.
        mean: the mean image, uint8 (64, 64, 3).
        seconds: processor time of reading and decoding.
        notes: the warnings about image files, without those of a fit.
    """

    indices: NDArray[np.int64]
    sizes: NDArray[np.int64]
    hashes: NDArray[np.uint64]
    levels: NDArray[np.uint8]
    digests: NDArray[np.void]
    grey: NDArray[np.bool_]
    formats: Counter[str]
    modes: Counter[str]
    bits: Counter[int]
    turned: int
    bytes: int
    unreadable: dict[int, str]
    mean: NDArray[np.uint8]
    seconds: float
    notes: ImageNotes


def scan_images(
    images: ImageList,
    value_range: ValueRange | None,
    processes: int,
    progress: bool,
) -> Scan:
    """Read all image files.

    Args:
        images: the files.
        value_range: as for `read_image`.
        processes: number of processes.
        progress: whether to print the progress on stderr.

    Raises:
        DataError: no file can be read.
        WorkerError: a worker process died.
    """
    n = len(images.names)
    indices = np.empty(n, np.int64)
    sizes, hashes = np.empty((n, 2), np.int64), np.empty((n, 2), np.uint64)
    levels = np.empty((n, 81), np.uint8)
    digests, grey = np.empty(n, "V16"), np.empty(n, bool)
    formats: Counter[str] = Counter()
    modes: Counter[str] = Counter()
    bits: Counter[int] = Counter()
    unreadable: dict[int, str] = {}
    total, notes = np.zeros((SIDE, SIDE, 3), np.int64), ImageNotes()
    turned, size, seconds, count, place = 0, 0, 0.0, 0, 0
    texts: set[str] = set()
    read = functools.partial(read_records, value_range=value_range)
    with Progress(n, 1, progress) as line:
        for batch in map_parallel(read, _chunks(images, processes), processes):
            for record in batch.records:
                if isinstance(record, ImageRecord):
                    indices[count], grey[count] = place, record.grey
                    sizes[count] = record.width, record.height
                    hashes[count] = record.hash.across, record.hash.down
                    levels[count] = np.frombuffer(record.hash.levels, np.uint8)
                    digests[count] = np.void(record.digest)
                    formats[record.header.format] += 1
                    modes[record.header.mode] += 1
                    bits[record.header.bits] += 1
                    turned += record.header.turned
                    size += record.length
                    count += 1
                else:
                    unreadable[place] = record
                place += 1
            total += batch.total
            seconds += batch.seconds
            notes.add(batch.notes)
            for kind, text in batch.warnings:
                if text not in texts:
                    texts.add(text)
                    warnings.warn(text, kind, stacklevel=2)
            line.update(len(batch.records))
    if not count:
        raise DataError(
            f"cannot read any of {quantity(n, 'image file')} in {images.folder}. The first: "
            f"{unreadable[0]}"
        )
    return Scan(
        indices=indices[:count],
        sizes=sizes[:count],
        hashes=hashes[:count],
        levels=levels[:count],
        digests=digests[:count],
        grey=grey[:count],
        formats=formats,
        modes=modes,
        bits=bits,
        turned=turned,
        bytes=size,
        unreadable=unreadable,
        mean=np.rint(total / count).astype(np.uint8),
        seconds=seconds,
        notes=notes,
    )


def _chunks(images: ImageList, processes: int) -> Iterator[list[str]]:
    """Yield the paths of a few files at once."""
    size = max(MIN_CHUNK, min(MAX_CHUNK, len(images.names) // (CALLS * processes)))
    folder = str(images.folder)
    for start in range(0, len(images.names), size):
        yield [os.path.join(folder, name) for name in images.names[start : start + size]]
