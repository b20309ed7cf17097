"""Batches from memory: images are decoded once, stored on the device as uint8, gathered there."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset

from ganzoo.data.batches import Batches
from ganzoo.data.decoding import decode
from ganzoo.data.fingerprints import fingerprint_items, fingerprint_stream
from ganzoo.games import Batch
from ganzoo.spec import DataSpec


class MemoryBatches(Batches):
    """Batches of a dataset that fits into memory.

    Attributes:
        images: all images, uint8 (n, channels, height, width), on the device.
        labels: int64 (n,), on the device.
        conditions: uint8 (n, channels, height, width), on the device; None if the data has none.
        fingerprint: SHA-256 of all images, labels and conditions in the dataset's order.
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
        self._indices = self._order(device)
        items = decode(dataset, spec, self.rank == 0)
        self.fingerprint = fingerprint_items(items)
        self._as_stream = fingerprint_stream(dataset, spec)
        self.images = items.images.to(device)
        self.labels = items.labels.to(device)
        self.conditions = None if items.conditions is None else items.conditions.to(device)

    def __next__(self) -> Batch:
        index, condition_index = self._indices.batch(self.position)
        self.position += 1
        return self._select(index, condition_index)

    def matches(self, fingerprint: str) -> bool:
        """Return whether a fingerprint, of either kind, is that of these images."""
        return fingerprint in (self.fingerprint, self._as_stream)

    def _gather(self, indices: list[int]) -> Batch:
        index = torch.tensor(indices, device=self.device)
        return self._select(index, index)

    def _select(self, index: Tensor, condition_index: Tensor) -> Batch:
        return self._batch(
            self.images.index_select(0, index),
            self.labels.index_select(0, index),
            None if self.conditions is None else self.conditions.index_select(0, condition_index),
        )
