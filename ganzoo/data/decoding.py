"""Decoding of a whole dataset to uint8."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.utils.data import Dataset, TensorDataset
from tqdm import tqdm

from ganzoo.data.reading import CHUNK, Items, as_labels, check_items, chunks
from ganzoo.data.workers import ReadAhead
from ganzoo.spec import DataSpec


def decode(dataset: Dataset[tuple[Tensor, ...]], spec: DataSpec, shown: bool = False) -> Items:
    """Return all items of a dataset in its order.

    Args:
        dataset: as for `Batches`.
        spec: the dataset's spec.
        shown: show a progress bar on a terminal.

    Raises:
        DataError: the images do not match the spec, or an image is corrupt.
    """
    if isinstance(dataset, TensorDataset):
        images, labels, *rest = dataset.tensors
        conditions = rest[0].contiguous() if spec.condition is not None else None
        items = Items(images.contiguous(), as_labels(labels), conditions)
        check_items(items, spec)
        return items
    length = len(dataset)  # type: ignore[arg-type]
    whole = Items(
        torch.empty((length, *spec.image.shape), dtype=torch.uint8),
        torch.empty(length, dtype=torch.int64),
        None
        if spec.condition is None
        else torch.empty((length, *spec.condition.shape), dtype=torch.uint8),
    )
    reads = ReadAhead(dataset, spec, chunks(length), workers=0, images=length)
    total = -(-length // CHUNK)
    hidden = None if shown else True  # None hides the bar if there is no terminal
    progress = tqdm(reads, "decoding images", total, unit="batch", disable=hidden, leave=False)
    for number, part in enumerate(progress):
        for target, values in zip(whole, part, strict=True):
            if target is not None and values is not None:
                target[number * CHUNK :][: len(values)] = values
    return whole
