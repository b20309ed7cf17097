"""Real images that a training is compared with."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ganzoo.data import Items
from ganzoo.data.batches import Batches
from ganzoo.data.memory_batches import MemoryBatches
from ganzoo.data.reading import read_items
from ganzoo.data.streamed_batches import StreamedBatches

SEED = 0  # of which images: the same in every run on this data


def some_items(batches: Batches, n: int) -> Items:
    """Return `n` items, or all there are, on the CPU: the same ones of a dataset in every run.

    They are drawn from all of it, since many a dataset is sorted.

    Raises:
        DataError: a corrupt image.
    """
    drawn = np.random.default_rng(SEED).permutation(len(batches))[:n]
    places = sorted(drawn.tolist())  # in the order in which they lie on the disk
    if isinstance(batches, StreamedBatches):
        return read_items(batches.dataset, batches.spec, places, places)
    index = torch.tensor(places)
    return Items(*(None if x is None else _rows(x, index) for x in _kept(batches)))  # type: ignore[arg-type]


def all_items(batches: Batches, most: int) -> Items:
    """Return all items, on the CPU; where memory does not hold them, `most` of them.

    Raises:
        DataError: a corrupt image.
    """
    if isinstance(batches, StreamedBatches):
        return some_items(batches, most)
    return Items(*(None if x is None else x.cpu() for x in _kept(batches)))  # type: ignore[arg-type]


def _kept(batches: Batches) -> Items:
    assert isinstance(batches, MemoryBatches)  # there is no third kind
    return Items(batches.images, batches.labels, batches.conditions)


def _rows(tensor: Tensor, index: Tensor) -> Tensor:
    return tensor.index_select(0, index.to(tensor.device)).cpu()
