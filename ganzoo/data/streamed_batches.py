"""Batches of data that memory does not hold: read ahead, batch by batch, as they are wanted."""

from __future__ import annotations

import hashlib
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset
from tqdm import tqdm

from ganzoo.data.batches import Batches
from ganzoo.data.fingerprints import STREAM, fingerprint_stream
from ganzoo.data.reading import CHUNK, Items, chunks, read_items
from ganzoo.data.workers import ReadAhead, default_workers
from ganzoo.games import Batch
from ganzoo.spec import DataSpec


class StreamedBatches(Batches):
    """The very batches of `MemoryBatches`, in memory that does not grow with the dataset.

    Processes of their own read this rank's images alone. They start with the first batch, and anew
    after a seek.

    Args:
        workers: how many processes; by default `default_workers`, and 0 reads in this one.

    Attributes:
        fingerprint: `fingerprint_stream`: not of all pixels.

    Raises:
        WorkerError: from `next`, one of these processes died.
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
        self._drawn = self._order("cpu")
        self.fingerprint = fingerprint_stream(dataset, spec)
        self._ahead: ReadAhead | None = None
        self._ahead_at = 0  # number of the batch that `_ahead` gives next

    def __next__(self) -> Batch:
        if self._ahead is None or self._ahead_at != self.position:
            self._ahead = None  # ends its processes before others start
            places = self._drawn.batches(self.position)
            pin = self.device.type == "cuda"
            self._ahead = ReadAhead(self.dataset, self.spec, places, workers=self.workers, pin=pin)
        try:
            items = next(self._ahead)
        except BaseException:
            self._ahead = None
            raise
        self.position += 1
        self._ahead_at = self.position
        return self._deliver(items)

    def first(self, n: int) -> Batch:
        """Return the first `n` images, or all there are, in the dataset's order; read anew."""
        places = range(min(n, len(self)))
        return self._deliver(read_items(self.dataset, self.spec, places, places))

    def matches(self, fingerprint: str) -> bool:
        """Whether the images are those of a fingerprint, which may be of all pixels.

        One that was made in memory takes as long as an epoch to compare.
        """
        if fingerprint.startswith(STREAM):
            return fingerprint == self.fingerprint
        return fingerprint == self._fingerprint_of_all()

    def _fingerprint_of_all(self) -> str:
        """What `fingerprint_items` would say: each kind of tensor in turn, so in several passes."""
        digest = hashlib.sha256()
        for column in range(2 if self.spec.condition is None else 3):
            ahead = ReadAhead(self.dataset, self.spec, chunks(len(self)), workers=self.workers)
            total = -(-len(self) // CHUNK)
            shown = tqdm(ahead, "comparing data", total, unit="batch", disable=None, leave=False)
            for items in shown:
                part = items[column]
                assert part is not None
                digest.update(part.numpy().data)
        return digest.hexdigest()

    def _deliver(self, items: Items) -> Batch:
        images, labels, conditions = (
            None if tensor is None else tensor.to(self.device, non_blocking=True)
            for tensor in items
        )
        assert images is not None
        assert labels is not None
        return self._batch(images, labels, conditions)
