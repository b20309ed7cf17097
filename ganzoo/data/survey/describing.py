"""Describe a folder of image files before a training."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, get_args

import torch

from ganzoo.bundle.folder import suggest_folder
from ganzoo.data.capacity import free_memory
from ganzoo.data.opening import exceeds_memory
from ganzoo.data.survey.command import choose_recipe, write_command
from ganzoo.data.survey.hashes import DISTANCE, check_distance, group_equal, group_near
from ganzoo.data.survey.measures import measure_sizes
from ganzoo.data.survey.notes import write_notes
from ganzoo.data.survey.recipes import (
    LARGEST,
    LARGEST_ON_CPU,
    find_folder_recipes,
    suggest_size,
)
from ganzoo.data.survey.scan import Scan, scan_images
from ganzoo.data.survey.shapes import cost_of, measure_fit, suggest_rectangle, warn_of_fit
from ganzoo.data.survey.splits import count_splits, spans_splits
from ganzoo.data.survey.summary import DataSummary, FileWarning, Unreadable
from ganzoo.data.survey.zips import is_zip, list_zip
from ganzoo.data.workers import count_cores
from ganzoo.errors import DataError, DataNotFoundError, GanzooError, enumerate_names
from ganzoo.sampling.image_depth import ValueRange, check_value_range
from ganzoo.sampling.image_fits import Fit, Fitting, Size, parse_size
from ganzoo.sampling.image_folders import (
    ImageList,
    Labels,
    describe_files,
    first_folder,
    list_images,
    select_classes,
)
from ganzoo.spec import MAX_IMAGE_SIZE
from ganzoo.spec.parsing import check_integer

LABELS = get_args(Labels)
FITS = get_args(Fit)
_OPTIONS = re.compile("--dataset[.](?=labels|size|value-range)")
_REMEDY = "Pass a folder or a zip of image files."


def describe(
    folder: str | Path,
    *,
    labels: Labels = "auto",
    value_range: Sequence[float] = (),
    size: Size | None = None,
    fit: Fit | None = None,
    distance: int = DISTANCE,
    workers: int | None = None,
    progress: bool = False,
) -> DataSummary:
    """Read a folder or a zip of image files as a training does, and describe it.

    Every file is decoded. On macOS and Windows, and if there are several workers, a script calls
    this below ``if __name__ == "__main__":``.

    Args:
        folder: the folder, or a zip. Nothing is written to it.
        labels: as for the dataset ``folder`` or ``zip``.
        value_range: as for the dataset ``folder``.
        size: size of the images, as for the dataset ``folder``: for the memory that they take, the
            time to decode, what a fit changes, and the warnings about it. By default, it is that of
            the suggested rectangle, or of the suggested square if there is none.
        fit: as for the dataset ``folder``; by default all are described, and the warnings are those
            of ``crop``.
        distance: largest number of bits by which the hashes of near duplicates differ, 0 to 8.
        workers: number of processes; by default one for each core. 1 reads in this process.
        progress: whether to print the progress on stderr.

    Raises:
        DataNotFoundError: the folder does not exist or contains no image files.
        DataError: no file can be read, an argument is out of range, or the path is another file.
        WorkerError: a worker process died.
    """
    start = time.perf_counter()
    _check(labels, fit, workers)
    check_distance(distance)
    root = Path(folder).expanduser()
    with _own_options():
        shape = None if size is None else parse_size("folder", size, 1, MAX_IMAGE_SIZE)
        ends = check_value_range("folder", value_range)
        images, classes, line = _list_files(root, labels)
    processes = min(workers or count_cores(), len(images.names))
    scan = scan_images(images, ends, processes, progress)
    summary = _summarise(images, classes, labels, line, scan, distance, shape, fit or "", ends)
    summary = dataclasses.replace(
        summary, seconds=round(time.perf_counter() - start, 2), processes=processes
    )
    recipe = choose_recipe(summary)
    return dataclasses.replace(
        summary,
        command=write_command(summary, recipe) if recipe else "",
        notes=write_notes(summary, recipe),
    )


def _list_files(root: Path, labels: Labels) -> tuple[ImageList, dict[str, int], str]:
    """Return the image files, the number of each class, and the line about the files."""
    if is_zip(root):
        return list_zip(root, labels)
    if not root.is_dir():
        raise DataNotFoundError(f"folder not found: {root}.{suggest_folder(root)} {_REMEDY}")
    images, names = select_classes(list_images(root, _REMEDY), labels)
    counts = Counter(map(first_folder, images.names))
    return images, {name: counts[name] for name in names}, describe_files(images, names)


@contextlib.contextmanager
def _own_options() -> Iterator[None]:
    """Name the options of `ganzoo data` in errors of datasets, which name those of a training."""
    try:
        yield
    except GanzooError as error:
        text = _OPTIONS.sub("--", str(error))
        raise type(error)(text) from error


def _check(labels: str, fit: str | None, workers: int | None) -> None:
    for name, value, known in (("labels", labels, LABELS), ("fit", fit or FITS[0], FITS)):
        if value not in known:
            raise DataError(f"{name} is {value!r}; it must be one of {enumerate_names(known)}.")
    try:
        if workers is not None:
            check_integer("workers", workers, 1, 1024)
    except ValueError as error:
        raise DataError(f"{error}.") from error


def _summarise(
    images: ImageList,
    classes: dict[str, int],
    labels: Labels,
    files: str,
    scan: Scan,
    distance: int,
    size: tuple[int, int] | None,
    fit: Fit | Literal[""],
    ends: ValueRange | None,
) -> DataSummary:
    names = images.names
    sizes = measure_sizes(scan.sizes)
    channels = 1 if scan.grey.all() else 3
    recipes = find_folder_recipes(len(names), sizes.shorter_sides[2], channels, len(classes))
    gpu = torch.cuda.is_available()
    largest = LARGEST if gpu else LARGEST_ON_CPU
    suggested = suggest_size(sizes.shorter_sides[2], recipes, largest)
    rectangle = suggest_rectangle(scan.sizes, suggested)
    square = suggested, suggested
    height, width = shape = size or rectangle or square
    shapes = dict.fromkeys([square, rectangle or square, shape])
    fitting = Fitting(height, width, fit or "crop")
    paths = [os.path.join(images.folder, names[k]) for k in scan.indices]
    scan.notes.add(warn_of_fit(scan.sizes, paths, fitting))
    smaller = scan.sizes < (width, height)
    decoded = len(names) * height * width * channels
    device = torch.device("cpu")
    splits = count_splits(names)
    identical = [
        tuple(names[scan.indices[k]] for k in group) for group in group_equal(scan.digests)
    ]
    near = [
        tuple(names[scan.indices[k]] for k in group)
        for group in group_near(scan.hashes, scan.levels, distance)
        if len({bytes(scan.digests[k]) for k in group}) > 1
    ]
    groups = {*identical, *near}
    return DataSummary(
        folder=str(images.folder),
        files=files,
        images=len(names),
        bytes=scan.bytes,
        formats=dict(scan.formats.most_common()),
        modes=dict(scan.modes.most_common()),
        bits=dict(scan.bits.most_common()),
        turned=scan.turned,
        grey=int(scan.grey.sum()),
        sizes=sizes,
        skipped=dict(images.counts.skipped.most_common()),
        repeats=images.counts.repeats,
        empty_folders=tuple(
            sorted(os.path.relpath(path, images.folder) for path in images.counts.empty)
        ),
        unreadable=tuple(Unreadable(names[k], text) for k, text in scan.unreadable.items()),
        classes=classes,
        labels=labels,
        splits=splits,
        identical=tuple(identical),
        near=tuple(near),
        distance=distance,
        across_splits=sum(spans_splits(group, splits) for group in groups),
        warnings=tuple(
            FileWarning(scan.notes.images[kind], text) for kind, text in scan.notes.first.items()
        ),
        size=shape,
        fixed_size=size is not None,
        fit=fit,
        gpu=gpu,
        suggested_size=suggested,
        suggested_rectangle=rectangle,
        fits=tuple(cost_of(scan.sizes, *each) for each in shapes),
        channels=channels,
        enlarged=int((smaller.all(axis=1) if fit == "pad" else smaller.any(axis=1)).sum()),
        decoded_bytes=decoded,
        free_bytes=free_memory(device),
        streamed=exceeds_memory(decoded, device),
        decode_seconds=round(scan.seconds + measure_fit(scan.sizes, fitting), 2),
        seconds=0.0,
        processes=1,
        recipes=tuple(recipes),
        value_range=ends or (),
        names=tuple(names),
        mean=scan.mean,
    )
