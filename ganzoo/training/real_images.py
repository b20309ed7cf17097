"""Real images for the comparison with generated ones."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ganzoo.data import Items
from ganzoo.data.batches import Batches
from ganzoo.data.memory_batches import MemoryBatches
from ganzoo.data.reading import read_items
from ganzoo.data.streamed_batches import StreamedBatches

SEED = 0  # of the choice of images, which is the same in every run on this data


def some_items(batches: Batches, n: int) -> Items:
    """Return `n` random items on the CPU, or all if there are fewer.

    Every run on a dataset gets the same items. They come from the whole dataset, which may be
    sorted.

    Raises:
        DataError: an image is corrupt.
    """
    choice = np.random.default_rng(SEED).permutation(len(batches))[:n]
    indices = sorted(choice.tolist())  # the order of the files on the disk
    if isinstance(batches, StreamedBatches):
        return read_items(batches.dataset, batches.spec, indices, indices)
    index = torch.tensor(indices)
    return Items(*(None if x is None else _rows(x, index) for x in _in_memory(batches)))  # type: ignore[arg-type]


def all_items(batches: Batches, limit: int) -> Items:
    """Return all items on the CPU, or `limit` of them if memory does not hold the data.

    Raises:
        DataError: an image is corrupt.
    """
    if isinstance(batches, StreamedBatches):
        return some_items(batches, limit)
    return Items(*(None if x is None else x.cpu() for x in _in_memory(batches)))  # type: ignore[arg-type]


def _in_memory(batches: Batches) -> Items:
    assert isinstance(batches, MemoryBatches)  # there are only two kinds
    return Items(batches.images, batches.labels, batches.conditions)


def _rows(tensor: Tensor, index: Tensor) -> Tensor:
    return tensor.index_select(0, index.to(tensor.device)).cpu()
