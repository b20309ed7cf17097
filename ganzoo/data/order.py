"""The order of images: the indices of each batch."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from ganzoo.errors import RecipeError

# Separates the order of the data from other random streams of the same seed.
STREAM_OF_ORDERS = 2


class Order:
    """The image indices of every batch. Those of batch k depend on the seed and on k only.

    Each epoch is a permutation of all images. A batch may span two epochs, so all batches have the
    same size. Processes of one training share each batch. Their shares, joined in the order of the
    ranks, are the batch of a single process.

    Args:
        images: number of images in the dataset.
        batch_size: images in a batch, summed over all processes.
        seed: seed of the permutations.
        paired: if True, conditions have the order of their images, else a permutation of their own.
        rank: number of this process in the training, from 0.
        ranks: number of processes.
        parts: number of parts of a batch that are computed one after the other. Each process gets
            an equal share of every part.
        device: device of the indices.

    Raises:
        RecipeError: the processes cannot share a batch evenly.
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
            raise ValueError(f"rank is {rank} of {ranks} processes. Use 0 to {ranks - 1}.")
        if batch_size % (ranks * parts):
            fitting = -(-batch_size // (ranks * parts)) * ranks * parts
            in_parts = f" in {parts} parts each" if parts > 1 else ""
            raise RecipeError(
                f"{ranks} processes cannot share batches of {batch_size} images evenly{in_parts}. "
                f"Use --batch-size {fitting}."
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
        """Return this process's share of a batch: the indices of its images and conditions.

        Both tensors are int64 (batch_size // ranks,).
        """
        index = self._rows(position, 0)
        return index, index if self.paired else self._rows(position, 1)

    def batches(self, position: int) -> Iterator[tuple[list[int], list[int]]]:
        """Yield the indices of batch `position` and of all later batches, without end."""
        for number in itertools.count(position):
            index, condition_index = self.batch(number)
            yield index.tolist(), condition_index.tolist()

    def _rows(self, position: int, stream: int) -> Tensor:
        count = self.batch_size // (self.ranks * self.parts)
        starts = (
            position * self.batch_size + (part * self.ranks + self.rank) * count
            for part in range(self.parts)
        )
        return torch.cat([piece for start in starts for piece in self._run(start, count, stream)])

    def _run(self, start: int, count: int, stream: int) -> Iterator[Tensor]:
        """Yield the indices of `count` consecutive images, which may span several epochs."""
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
