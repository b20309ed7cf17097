"""Which images make which batch."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from ganzoo.errors import RecipeError

# Keeps the order of the data apart from whatever else is drawn by the same seed.
STREAM_OF_ORDERS = 2


class Order:
    """The images of every batch: those of batch k depend on the seed and on k only.

    Each epoch is a permutation of all images; a batch may span two epochs, so that all have one
    size. Processes that train together share each batch: joined by rank, their parts are what one
    process alone would see.

    Args:
        images: how many there are.
        batch_size: images in a batch, over all processes.
        seed: of the permutations.
        paired: whether conditions follow their images; else they have permutations of their own.
        rank: number of this process among those that train together.
        ranks: how many these are.
        parts: parts that a batch is computed in, one after the other; each process has its share of
            each of them.
        device: where the order is kept.

    Raises:
        RecipeError: a batch that cannot be shared evenly.
    """

    def __init__(
        self,
        images: int,
        batch_size: int,
        seed: int,
        *,
        paired: bool = True,
        rank: int = 0,
        ranks: int = 1,
        parts: int = 1,
        device: torch.device | str = "cpu",
    ) -> None:
        if not 0 <= rank < ranks:
            raise ValueError(f"rank {rank} of {ranks}: ranks count from 0")
        if batch_size % (ranks * parts):
            fitting = -(-batch_size // (ranks * parts)) * ranks * parts
            in_parts = f" in {parts} parts each" if parts > 1 else ""
            raise RecipeError(
                f"{ranks} processes cannot share batches of {batch_size} images evenly{in_parts}. "
                f"--batch-size {fitting} can be."
            )
        self.images = images
        self.batch_size = batch_size
        self.seed = seed
        self.paired = paired
        self.rank = rank
        self.ranks = ranks
        self.parts = parts
        self.device = torch.device(device)
        self._epochs: dict[int, tuple[int, Tensor]] = {}

    def batch(self, position: int) -> tuple[Tensor, Tensor]:
        """Return this process's part of a batch: its images and their conditions.

        Both are int64 (batch_size // ranks,), places in the dataset.
        """
        index = self._rows(position, 0)
        return index, index if self.paired else self._rows(position, 1)

    def batches(self, position: int) -> Iterator[tuple[list[int], list[int]]]:
        """Yield what `batch` returns for `position` and all that follow, without end."""
        for place in itertools.count(position):
            index, of_conditions = self.batch(place)
            yield index.tolist(), of_conditions.tolist()

    def _rows(self, position: int, stream: int) -> Tensor:
        count = self.batch_size // (self.ranks * self.parts)
        starts = (
            position * self.batch_size + (part * self.ranks + self.rank) * count
            for part in range(self.parts)
        )
        return torch.cat([piece for start in starts for piece in self._run(start, count, stream)])

    def _run(self, start: int, count: int, stream: int) -> Iterator[Tensor]:
        """So many images in a row, of one epoch or of several."""
        while count:
            epoch, offset = divmod(start, self.images)
            piece = self._permutation(epoch, stream)[offset : offset + count]
            yield piece
            start, count = start + len(piece), count - len(piece)

    def _permutation(self, epoch: int, stream: int) -> Tensor:
        if self._epochs.get(stream, (-1, None))[0] != epoch:
            # Streams, such as the two domains of unpaired images, follow different orders.
            key = [self.seed, STREAM_OF_ORDERS, epoch] + ([stream] if stream else [])
            order = np.random.default_rng(key).permutation(self.images)
            self._epochs[stream] = epoch, torch.from_numpy(order).to(self.device)
        return self._epochs[stream][1]
