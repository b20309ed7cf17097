"""Items of a dataset, read and checked; errors and warnings travel as values between processes."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, default_collate

from ganzoo.errors import DataError, GanzooError, describe
from ganzoo.spec import DataSpec

CHUNK = 256  # images that are read at once where all are


class Items(NamedTuple):
    """Some of a dataset's items.

    Attributes:
        images: uint8 (n, channels, height, width).
        labels: int64 (n,).
        conditions: uint8 (n, channels, height, width), or None where the data has none.
    """

    images: Tensor
    labels: Tensor
    conditions: Tensor | None


class Failure(NamedTuple):
    """An error as it crosses from one process to another, without the traceback there."""

    kind: type[GanzooError]
    message: str


class Read(NamedTuple):
    """What reading came to: `items` or a `failure`, and warnings, each its kind and its text."""

    items: Items | None
    warnings: tuple[tuple[type[Warning], str], ...]
    failure: Failure | None


class Reader(Dataset[Read]):
    """A dataset whose index is a whole batch: the images' places and those of the conditions.

    Args:
        dataset: items are uint8 (channels, height, width), a label, and, where the spec has a
            condition, the uint8 image that the first is to be made from.
        spec: what the dataset says it holds.
    """

    def __init__(self, dataset: Dataset[tuple[Tensor, ...]], spec: DataSpec) -> None:
        self.dataset = dataset
        self.spec = spec

    def __getitem__(self, places: tuple[Sequence[int], Sequence[int]]) -> Read:
        items, failure = None, None
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                items = read_items(self.dataset, self.spec, *places)
            except GanzooError as error:
                failure = Failure(type(error), str(error))
            except Exception as error:  # noqa: BLE001 - a plugin's dataset may raise anything
                text = f"an item of the dataset cannot be read: {describe(error)}."
                failure = Failure(DataError, text)
        return Read(items, tuple((w.category, str(w.message)) for w in caught), failure)


def read_items(
    dataset: Dataset[tuple[Tensor, ...]],
    spec: DataSpec,
    index: Sequence[int],
    of_conditions: Sequence[int],
) -> Items:
    """Read images and their labels, and conditions, which may be those of other images.

    Raises:
        DataError: they are not what the spec says; a corrupt image.
    """
    rows = [dataset[place] for place in index]
    images, labels = default_collate([row[0] for row in rows]), [row[1] for row in rows]
    conditions = None
    if spec.condition is not None:
        paired = of_conditions == index
        others = rows if paired else [dataset[place] for place in of_conditions]
        conditions = default_collate([row[2] for row in others])
    items = Items(images, default_collate(labels).to(torch.int64), conditions)
    check_items(items, spec)
    return items


def check_items(items: Items, spec: DataSpec) -> None:
    """Refuse what is not as the spec says.

    Raises:
        DataError: another size or dtype; a label that is none of the classes.
    """
    for what, pixels, size in (
        ("conditions", items.conditions, spec.condition),
        ("images", items.images, spec.image),
    ):
        if pixels is None or size is None:
            continue
        if pixels.dtype != torch.uint8 or tuple(pixels.shape[1:]) != size.shape:
            raise DataError(
                f"the dataset says its {what} are uint8 {size.shape}, they are "
                f"{str(pixels.dtype).removeprefix('torch.')} {tuple(pixels.shape[1:])}."
            )
    if len(items.images) == 0:
        raise DataError("the dataset holds no image.")
    labels = items.labels
    if spec.classes and not (int(labels.min()) >= 0 and int(labels.max()) < spec.classes):
        raise DataError(
            f"the dataset says it has {spec.classes} classes, its labels are "
            f"{np.unique(labels.numpy()).tolist()[:20]}."
        )


def chunks(images: int) -> Iterator[tuple[range, range]]:
    """Yield the places of all images in the dataset's order, as a `Reader` takes them."""
    for start in range(0, images, CHUNK):
        places = range(start, min(start + CHUNK, images))
        yield places, places
