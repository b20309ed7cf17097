"""Batches, wherever their images come from."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator

import torch
from torch import Tensor
from torch.utils.data import Dataset

from ganzoo.data.order import Order
from ganzoo.errors import DataError
from ganzoo.games import Batch
from ganzoo.spec import DataSpec


class Batches(Iterator[Batch]):
    """An endless, seekable series: batch k depends on the seed and on k only.

    Args:
        dataset: items are uint8 (channels, height, width), a label, and, where the spec has a
            condition, the uint8 image that the first is to be made from.
        spec: what the dataset says it holds.
        batch_size: images in a batch, over all processes that train together.
        seed: of the order.
        device: where batches are wanted.
        rank: number of this process among those that train together.
        ranks: how many these are; each gets its own ``batch_size // ranks`` images of a batch.
        parts: parts that a batch is computed in; each process has its share of each of them.

    Attributes:
        position: number of the next batch; set it to seek.
        fingerprint: by what a run knows its data again.
        kept: where the images are, in a few words.

    Raises:
        DataError: images that are not what the spec says; a corrupt image.
        RecipeError: a batch that the processes cannot share evenly.
    """

    fingerprint: str
    kept: str

    def __init__(
        self,
        dataset: Dataset[tuple[Tensor, ...]],
        spec: DataSpec,
        batch_size: int,
        seed: int,
        device: torch.device,
        *,
        rank: int = 0,
        ranks: int = 1,
        parts: int = 1,
    ) -> None:
        self._length = len(dataset)  # type: ignore[arg-type]
        if self._length == 0:
            raise DataError("the dataset holds no image.")
        self.spec = spec
        self.paired = spec.paired
        self.batch_size = batch_size
        self.seed = seed
        self.device = device
        self.rank = rank
        self.ranks = ranks
        self.parts = parts
        self.position = 0

    def __len__(self) -> int:
        return self._length

    @abstractmethod
    def __next__(self) -> Batch:
        """Return this process's part of the next batch."""

    @abstractmethod
    def first(self, n: int) -> Batch:
        """Return the first `n` images, or all there are, in the dataset's order."""

    @abstractmethod
    def matches(self, fingerprint: str) -> bool:
        """Whether the images are those of a fingerprint, even of one that was made otherwise."""

    def _order(self, device: torch.device | str) -> Order:
        return Order(
            len(self),
            self.batch_size,
            self.seed,
            paired=self.paired,
            rank=self.rank,
            ranks=self.ranks,
            parts=self.parts,
            device=device,
        )

    def _batch(self, images: Tensor, labels: Tensor, conditions: Tensor | None) -> Batch:
        """What a game sees of uint8 images and conditions, and of labels, on the device."""
        return Batch(
            _normalise(images),
            labels if self.spec.classes else None,
            None if conditions is None else _normalise(conditions),
        )


def _normalise(pixels: Tensor) -> Tensor:
    """Float32 images in [-1, 1]."""
    return pixels.to(torch.float32).div_(127.5).sub_(1.0)
