"""Batches of images that are decoded once.

Images are stored on the device as uint8, and gathered there. Those of a cache that the device's
memory does not hold stay in the cache's file, from which the batches are gathered.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset

from ganzoo.data.batches import Batches
from ganzoo.data.decoded_images import DecodedImages, decode_images
from ganzoo.data.fingerprints import fingerprint_stream
from ganzoo.games import Batch
from ganzoo.spec import DataSpec


class MemoryBatches(Batches):
    """Batches of a dataset that fits into memory or is in a cache.

    Args:
        images: all images of the dataset. Without, they are decoded.

    Attributes:
        images: all images, uint8 (n, channels, height, width).
        labels: int64 (n,).
        conditions: uint8 (n, channels, height, width); None if the data has none.
        fingerprint: SHA-256 of all images, labels and conditions in the dataset's order.
    """

    def __init__(
        self,
        dataset: Dataset[tuple[Tensor, ...]],
        spec: DataSpec,
        batch_size: int,
        seed: int,
        device: torch.device,
        *,
        images: DecodedImages | None = None,
        **ranks: Any,
    ) -> None:
        super().__init__(dataset, spec, batch_size, seed, device, **ranks)
        if images is None:
            images = decode_images(dataset, spec, progress=self.rank == 0, ranks=self.ranks)
        self.fingerprint = images.sha256
        self.fits = images.fits
        self.decoding, self.cache = images.decoding, images.cache
        self.replaced = images.replaced
        self._as_stream = fingerprint_stream(dataset, spec)
        place = device if images.fits else torch.device("cpu")
        self.kept = "mapped from the cache" if images.mapped and place.type == "cpu" else self.kept
        self._indices = self._order(place)
        self.images, self.labels = images.items.images.to(place), images.items.labels.to(place)
        conditions = images.items.conditions
        self.conditions = None if conditions is None else conditions.to(place)

    def __next__(self) -> Batch:
        index, condition_index = self._indices.batch(self.position)
        self.position += 1
        return self._select(index, condition_index)

    def matches(self, fingerprint: str) -> bool:
        """Return whether a fingerprint, of either kind, is that of these images."""
        return fingerprint in (self.fingerprint, self._as_stream)

    def _gather(self, indices: list[int]) -> Batch:
        index = torch.tensor(indices, device=self.images.device)
        return self._select(index, index)

    def _select(self, index: Tensor, condition_index: Tensor) -> Batch:
        return self._batch(
            self._rows(self.images, index),
            self._rows(self.labels, index),
            None if self.conditions is None else self._rows(self.conditions, condition_index),
        )

    def _rows(self, values: Tensor, index: Tensor) -> Tensor:
        return values.index_select(0, index).to(self.device)
