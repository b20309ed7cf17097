"""Base class of the batches of a dataset."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from types import MappingProxyType

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from ganzoo.data.order import Order
from ganzoo.errors import DataError
from ganzoo.games import Batch
from ganzoo.spec import DataSpec

SEED = 0  # of the choice of items


class Batches(Iterator[Batch]):
    """An endless, seekable sequence of batches. Batch k depends on the seed and on k only.

    Args:
        dataset: items are an image, uint8 (channels, height, width), and a label. If the spec has
            a condition, items also contain the uint8 condition image.
        spec: the dataset's spec.
        batch_size: images in a batch, summed over all processes of the training.
        seed: seed of the order.
        device: device of the batches.
        rank: number of this process in the training, from 0.
        ranks: number of processes. Each gets ``batch_size // ranks`` images of a batch.
        parts: number of parts of a batch that are computed one after the other. Each process gets
            an equal share of every part.

    Attributes:
        position: number of the next batch. Set it to seek.
        fingerprint: text that identifies the dataset of a run.
        kept: short description of where the images are stored.
        fits: whether memory holds all images.
        decoding: how fast the images were decoded; empty if they were not.
        cache: which cache of decoded images was read or written; empty for none.
        file_counts: one line about the dataset's files in use and those skipped, from its
            attribute of that name; empty if it has none.
        advice: a sentence about an option that changes the files in use, from the dataset's
            attribute of that name; empty if it has none.
        fitting: how image files get the size of the spec, from the dataset's attribute of that
            name; empty if it has none.
        image_counts: numbers of files that were converted or replaced, by name, such as ``turned by
            EXIF``, as far as the files were read.

    Raises:
        DataError: the images do not match the spec, or an image is corrupt.
        RecipeError: the processes cannot share a batch evenly.
    """

    fingerprint: str
    kept = "kept in memory"
    fits = False
    decoding = ""
    cache = ""
    image_counts: Mapping[str, int] = MappingProxyType({})

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
        self.file_counts = getattr(dataset, "file_counts", "")
        self.advice = getattr(dataset, "advice", "")
        self.fitting = str(getattr(dataset, "fitting", ""))
        if self._length == 0:
            raise DataError("the dataset contains no images. Add images, or use another --dataset.")
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
        """Return this process's share of the next batch."""

    def draw(self, n: int) -> Batch:
        """Return `n` random items, or all if there are fewer; the same ones in every run."""
        return self._gather(draw_indices(len(self), n))

    @abstractmethod
    def _gather(self, indices: list[int]) -> Batch:
        """Return items by their indices."""

    @abstractmethod
    def matches(self, fingerprint: str) -> bool:
        """Return whether a fingerprint, of either kind, is that of these images."""

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
        """Return the batch of uint8 images, int64 labels and uint8 conditions on the device."""
        return Batch(
            _normalise(images),
            labels if self.spec.classes else None,
            None if conditions is None else _normalise(conditions),
        )


def draw_indices(length: int, n: int) -> list[int]:
    """Return `n` random indices of a dataset, sorted, or all if there are fewer.

    They come from the whole dataset, which may be sorted, and are the same at every call.
    """
    choice = np.random.default_rng(SEED).permutation(length)[:n]
    return sorted(choice.tolist())  # the order of the files on the disk


def _normalise(pixels: Tensor) -> Tensor:
    """Return float32 images in [-1, 1]."""
    return pixels.to(torch.float32).div_(127.5).sub_(1.0)
