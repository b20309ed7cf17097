"""Batches of images that are decoded once.

Images are stored on the device as uint8, and gathered there. Those of a cache that the device's
memory does not hold stay in the cache's file, from which the batches are gathered. Images that are
read from the file are compared with its checksums.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset

from ganzoo.data.batches import Batches
from ganzoo.data.cache_file import Checksums
from ganzoo.data.decoded_images import DecodedImages, decode_images
from ganzoo.data.fingerprints import fingerprint_stream
from ganzoo.data.reading import Items
from ganzoo.games import Batch
from ganzoo.spec import DataSpec


class MemoryBatches(Batches):
    """Batches of a dataset that fits into memory or is in a cache.

    Args:
        images: all images of the dataset. Without, they are decoded.

    Attributes:
        images: all images, uint8 (n, channels, height, width). `items` also compares their
            checksums.
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
        self.image_counts = images.counts
        self._as_stream = fingerprint_stream(dataset, spec)
        place = device if images.fits else torch.device("cpu")
        self._checksums = images.checksums
        self._indices = self._order(place)
        if self._checksums and place.type == "cpu":
            self.kept = "mapped from the cache"
        elif self._checksums:
            _check(self._checksums, images.items)
            self._checksums = None
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

    def items(self, index: Tensor | None = None) -> Items:
        """Return items on the CPU, as they are in the dataset.

        Args:
            index: their indices, int64 (k,); by default all.

        Raises:
            DataError: an image differs from the one that was written to the cache.
        """
        place = None if index is None else index.to(self.images.device)
        tensors = Items(self.images, self.labels, self.conditions)._asdict()
        rows = (
            None if values is None else self._rows(name, values, place).cpu()
            for name, values in tensors.items()
        )
        return Items(*rows)  # type: ignore[arg-type]

    def _gather(self, indices: list[int]) -> Batch:
        index = torch.tensor(indices, device=self.images.device)
        return self._select(index, index)

    def _select(self, index: Tensor, condition_index: Tensor) -> Batch:
        return self._batch(
            self._rows("images", self.images, index).to(self.device),
            self.labels.index_select(0, index).to(self.device),
            None
            if self.conditions is None
            else self._rows("conditions", self.conditions, condition_index).to(self.device),
        )

    def _rows(self, name: str, values: Tensor, index: Tensor | None) -> Tensor:
        """Return rows of a tensor, or all, and compare the checksums of those from a file."""
        rows = values if index is None else values.index_select(0, index)
        if self._checksums and name != "labels":
            self._checksums.check(name, rows, index)
        return rows


def _check(checksums: Checksums, items: Items) -> None:
    """Compare the checksums of all images."""
    checksums.check("images", items.images)
    if items.conditions is not None:
        checksums.check("conditions", items.conditions)
