"""Reading and checking of items. Worker processes return errors and warnings as values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, default_collate

from ganzoo.errors import DataError, GanzooError, describe, quantity
from ganzoo.sampling.image_warnings import ImageNotes
from ganzoo.spec import DataSpec
from ganzoo.system.quiet import recorded_warnings

CHUNK = 256  # images per read of a whole dataset


class Items(NamedTuple):
    """Some items of a dataset.

    Attributes:
        images: uint8 (n, channels, height, width).
        labels: int64 (n,).
        conditions: uint8 (n, channels, height, width), or None if the data has none.
    """

    images: Tensor
    labels: Tensor
    conditions: Tensor | None


class Failure(NamedTuple):
    """An error of a worker process, without its traceback."""

    kind: type[GanzooError]
    message: str


class Read(NamedTuple):
    """The result of a read: `items` or a `failure`, and its warnings.

    Attributes:
        notes: the warnings about image files and their counts, by number of the file.
        warnings: class and text of each other warning.
    """

    items: Items | None
    notes: dict[int, ImageNotes]
    warnings: tuple[tuple[type[Warning], str], ...]
    failure: Failure | None


class Reader(Dataset[Read]):
    """A dataset whose index is a whole batch: the indices of its images and of its conditions.

    Args:
        dataset: as for `Batches`.
        spec: the dataset's spec.
    """

    def __init__(self, dataset: Dataset[tuple[Tensor, ...]], spec: DataSpec) -> None:
        self.dataset = dataset
        self.spec = spec

    def __getitem__(self, places: tuple[Sequence[int], Sequence[int]]) -> Read:
        items, failure = None, None
        notes: dict[int, ImageNotes] = {}
        with recorded_warnings() as record:
            try:
                items = read_items(self.dataset, self.spec, *places, notes)
            except GanzooError as error:
                failure = Failure(type(error), str(error))
        texts = tuple((w.category, str(w.message)) for w in record)
        return Read(items, notes, texts, failure)


def read_items(
    dataset: Dataset[tuple[Tensor, ...]],
    spec: DataSpec,
    index: Sequence[int],
    condition_index: Sequence[int],
    notes: dict[int, ImageNotes] | None = None,
) -> Items:
    """Read and check some items of a dataset.

    Args:
        dataset: as for `Batches`.
        spec: the dataset's spec.
        index: indices of the images and labels.
        condition_index: indices of the conditions. They differ from `index` for unpaired data.
        notes: takes the warnings about image files, which this function does not show, and their
            counts, by number of the file.

    Raises:
        DataError: the items do not match the spec, or one cannot be read.
    """
    files = count_files(dataset)
    notes = {} if notes is None else notes
    rows = [_item(dataset, place, files, notes) for place in index]
    condition_rows: list[tuple[Tensor, ...]] | None = None
    if spec.condition is not None:
        paired = condition_index == index
        condition_rows = (
            rows if paired else [_item(dataset, place, files, notes) for place in condition_index]
        )
    try:
        images, labels = (default_collate([row[part] for row in rows]) for part in (0, 1))
        conditions = default_collate([row[2] for row in condition_rows]) if condition_rows else None
        items = Items(images, as_labels(labels), conditions)
    except GanzooError:
        raise
    except Exception as error:
        raise DataError(
            f"cannot join items of the dataset to a batch: {describe(error)}. Report this to the "
            "author of the dataset's plugin."
        ) from error
    check_items(items, spec)
    return items


def _item(
    dataset: Dataset[tuple[Tensor, ...]], place: int, files: int, notes: dict[int, ImageNotes]
) -> tuple[Tensor, ...]:
    own = ImageNotes()
    try:
        with own.collect():
            return dataset[place]
    except GanzooError:
        raise
    except Exception as error:
        raise DataError(
            f"cannot read the item {place:,} of the dataset: {describe(error)}. Repair its file, "
            "or report this to the author of the dataset's plugin."
        ) from error
    finally:
        if own:
            notes[place % files] = own


def as_labels(labels: Tensor) -> Tensor:
    """Return the labels of items as int64 (n,).

    Raises:
        DataError: they have another shape, or are no whole numbers.
    """
    if labels.ndim != 1 or labels.is_complex() or not torch.equal(labels.long(), labels):
        raise DataError(
            f"the labels of the dataset are {str(labels.dtype).removeprefix('torch.')} "
            f"{tuple(labels.shape[1:])}, but each must be one whole number. Report this to the "
            "author of the dataset's plugin."
        )
    return labels.to(torch.int64)


def check_items(items: Items, spec: DataSpec) -> None:
    """Raise an error if items do not match the spec.

    Raises:
        DataError: there are no images, the size or dtype differs, or a label is out of range.
    """
    for what, pixels, size in (
        ("conditions", items.conditions, spec.condition),
        ("images", items.images, spec.image),
    ):
        if pixels is None or size is None:
            continue
        if pixels.dtype != torch.uint8 or tuple(pixels.shape[1:]) != size.shape:
            raise DataError(
                f"the spec of the dataset declares {what} of uint8 {size.shape}, but they are "
                f"{str(pixels.dtype).removeprefix('torch.')} {tuple(pixels.shape[1:])}. "
                "Report this to the author of the dataset's plugin."
            )
    if len(items.images) == 0:
        raise DataError("the dataset contains no images. Add images, or use another --dataset.")
    labels = items.labels
    if spec.classes and not (int(labels.min()) >= 0 and int(labels.max()) < spec.classes):
        raise DataError(
            f"the spec of the dataset declares {quantity(spec.classes, 'class')}, but its labels "
            f"are {np.unique(labels.numpy()).tolist()[:20]}. Report this to the author of the "
            "dataset's plugin."
        )


def count_files(dataset: Dataset[tuple[Tensor, ...]]) -> int:
    """Return the number of files of a dataset, which is half of its length if they are flipped.

    Datasets that add flipped items after those of all files have an attribute `files` (an int).
    """
    files = getattr(dataset, "files", None)
    return files if isinstance(files, int) else len(dataset)  # type: ignore[arg-type]


def chunks(images: int, size: int = CHUNK) -> list[tuple[range, range]]:
    """Return the indices of all items in the dataset's order, as a `Reader` takes them."""
    starts = range(0, images, size)
    return [(range(k, min(k + size, images)), range(k, min(k + size, images))) for k in starts]


def count_values(spec: DataSpec) -> int:
    """Return the number of values of an item: its image and its condition."""
    sizes = [spec.image.shape] + ([spec.condition.shape] if spec.condition else [])
    return sum(math.prod(size) for size in sizes)
