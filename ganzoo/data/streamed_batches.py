"""Streamed batches: worker processes read images ahead, batch by batch."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset

from ganzoo.data.batches import Batches
from ganzoo.data.fingerprints import fingerprint_stream, has_fingerprint
from ganzoo.data.reading import Items, read_items
from ganzoo.data.workers import ReadAhead, default_workers
from ganzoo.games import Batch
from ganzoo.spec import DataSpec


class StreamedBatches(Batches):
    """The same batches as `MemoryBatches`, in memory that does not grow with the dataset.

    Worker processes read the images of this rank only. They start with the first batch and restart
    after a seek.

    Args:
        workers: number of worker processes, by default `default_workers`. 0 reads in this process.

    Attributes:
        fingerprint: the result of `fingerprint_stream`, which does not cover all pixels.

    Raises:
        WorkerError: a worker process died (from `next`).
    """

    def __init__(
        self,
        dataset: Dataset[tuple[Tensor, ...]],
        spec: DataSpec,
        batch_size: int,
        seed: int,
        device: torch.device,
        *,
        workers: int | None = None,
        **ranks: Any,
    ) -> None:
        super().__init__(dataset, spec, batch_size, seed, device, **ranks)
        self.dataset = dataset
        self.workers = default_workers(self.ranks) if workers is None else workers
        self.kept = f"streamed, worker processes: {self.workers}"
        self._indices = self._order("cpu")
        self.fingerprint = fingerprint_stream(dataset, spec)
        self._ahead: ReadAhead | None = None
        self._ahead_at = 0  # number of the batch that `_ahead` gives next

    def __next__(self) -> Batch:
        if self._ahead is None or self._ahead_at != self.position:
            self._ahead = None  # ends the old processes before new ones start
            places = self._indices.batches(self.position)
            pin = self.device.type == "cuda"
            self._ahead = ReadAhead(self.dataset, self.spec, places, workers=self.workers, pin=pin)
        try:
            items = next(self._ahead)
        except BaseException:
            self._ahead = None
            raise
        self.position += 1
        self._ahead_at = self.position
        self.image_counts = self._ahead.counts
        return self._deliver(items)

    def matches(self, fingerprint: str) -> bool:
        """Return whether a fingerprint, of either kind, is that of these images.

        The comparison with a fingerprint of `MemoryBatches` reads the whole dataset.
        """
        return has_fingerprint(fingerprint, self.dataset, self.spec, workers=self.workers)

    def _gather(self, indices: list[int]) -> Batch:
        return self._deliver(read_items(self.dataset, self.spec, indices, indices))

    def _deliver(self, items: Items) -> Batch:
        images, labels, conditions = (
            None if tensor is None else tensor.to(self.device, non_blocking=True)
            for tensor in items
        )
        assert images is not None
        assert labels is not None
        return self._batch(images, labels, conditions)
