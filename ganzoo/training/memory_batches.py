"""Batches from memory: decoded once to uint8, kept on the device, gathered and normalised there."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset, TensorDataset
from tqdm import tqdm

from ganzoo.games import Batch
from ganzoo.spec import DataSpec
from ganzoo.training.batches import Batches
from ganzoo.training.fingerprints import fingerprint_items, fingerprint_stream
from ganzoo.training.reading import CHUNK, Items, check_items, chunks
from ganzoo.training.workers import ReadAhead


class MemoryBatches(Batches):
    """Batches of a dataset that memory holds.

    Attributes:
        images: all of them, uint8 (n, channels, height, width), on the device.
        labels: int64 (n,), on the device.
        conditions: uint8 (n, channels, height, width), on the device; None where there are none.
        fingerprint: SHA-256 of all images, labels and conditions, in the dataset's order.
    """

    kept = "kept in memory"

    def __init__(
        self,
        dataset: Dataset[tuple[Tensor, ...]],
        spec: DataSpec,
        batch_size: int,
        seed: int,
        device: torch.device,
        **ranks: Any,
    ) -> None:
        super().__init__(dataset, spec, batch_size, seed, device, **ranks)
        self._drawn = self._order(device)
        items = _decode(dataset, spec, self.rank == 0)
        self.fingerprint = fingerprint_items(items)
        self._as_stream = fingerprint_stream(dataset, spec)
        self.images = items.images.to(device)
        self.labels = items.labels.to(device)
        self.conditions = None if items.conditions is None else items.conditions.to(device)

    def __next__(self) -> Batch:
        index, of_conditions = self._drawn.batch(self.position)
        self.position += 1
        return self._gather(index, of_conditions)

    def first(self, n: int) -> Batch:
        """Return the first `n` images, or all there are, in the dataset's order."""
        index = torch.arange(min(n, len(self)), device=self.device)
        return self._gather(index, index)

    def matches(self, fingerprint: str) -> bool:
        """Whether the images are those of a fingerprint, of memory or of a stream."""
        return fingerprint in (self.fingerprint, self._as_stream)

    def _gather(self, index: Tensor, of_conditions: Tensor) -> Batch:
        return self._batch(
            self.images.index_select(0, index),
            self.labels.index_select(0, index),
            None if self.conditions is None else self.conditions.index_select(0, of_conditions),
        )


def _decode(dataset: Dataset[tuple[Tensor, ...]], spec: DataSpec, shown: bool) -> Items:
    """All items of a dataset."""
    if isinstance(dataset, TensorDataset):
        images, labels, *rest = dataset.tensors
        conditions = rest[0].contiguous() if spec.condition is not None else None
        items = Items(images.contiguous(), labels.to(torch.int64), conditions)
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
    reads = ReadAhead(dataset, spec, chunks(length), workers=0)
    total = -(-length // CHUNK)
    hidden = None if shown else True  # None: where there is no terminal
    read = tqdm(reads, "decoding images", total, unit="batch", disable=hidden, leave=False)
    for number, part in enumerate(read):
        for target, source in zip(whole, part, strict=True):
            if target is not None and source is not None:
                target[number * CHUNK :][: len(source)] = source
    return whole
