"""Batches from memory: decoded once to uint8, kept on the device, gathered and normalised there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, TensorDataset
from tqdm import tqdm

from ganzoo.errors import DataError
from ganzoo.games import Batch
from ganzoo.spec import DataSpec
from ganzoo.training.seeding import order_of_epoch


class Batches(Iterator[Batch]):
    """An endless, seekable series: batch k depends on the seed and on k only.

    Each epoch is a permutation of all images; a batch may span two epochs, so that all have one
    size.

    Args:
        dataset: items are uint8 (channels, height, width) and a label.
        spec: what the dataset says it holds.
        batch_size: images in a batch.
        seed: of the order.
        device: where the images are kept.

    Attributes:
        position: number of the next batch; set it to seek.
        fingerprint: SHA-256 of all images and labels, in the dataset's order.

    Raises:
        DataError: images that are not what the spec says; a corrupt image.
    """

    def __init__(
        self,
        dataset: Dataset[tuple[Tensor, Tensor]],
        spec: DataSpec,
        batch_size: int,
        seed: int,
        device: torch.device,
    ) -> None:
        images, labels = _decode(dataset)
        _check(images, labels, spec)
        digest = hashlib.sha256(images.numpy().data)
        digest.update(labels.numpy().data)
        self.fingerprint = digest.hexdigest()
        self.images = images.to(device)
        self.labels = labels.to(device) if spec.classes else None
        self.batch_size = batch_size
        self.seed = seed
        self.position = 0
        self._epoch = -1
        self._order = torch.empty(0, dtype=torch.int64)

    def __len__(self) -> int:
        return len(self.images)

    def __next__(self) -> Batch:
        index = self._indices(self.position * self.batch_size, self.batch_size)
        self.position += 1
        pixels = self.images.index_select(0, index)
        labels = None if self.labels is None else self.labels.index_select(0, index)
        return Batch(pixels.to(torch.float32).div_(127.5).sub_(1.0), labels)

    def _indices(self, start: int, count: int) -> Tensor:
        parts = []
        while count:
            epoch, offset = divmod(start, len(self.images))
            if epoch != self._epoch:
                order = order_of_epoch(self.seed, epoch, len(self.images))
                self._order = torch.from_numpy(order).to(self.images.device)
                self._epoch = epoch
            part = self._order[offset : offset + count]
            parts.append(part)
            start, count = start + len(part), count - len(part)
        return torch.cat(parts)


def _decode(dataset: Dataset[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """All images, uint8 (n, channels, height, width), and all labels, int64 (n,)."""
    if isinstance(dataset, TensorDataset):
        images, labels = dataset.tensors
        return images.contiguous(), labels.to(torch.int64)
    if len(dataset) == 0:  # type: ignore[arg-type]
        raise DataError("the dataset holds no image.")
    loader = DataLoader(dataset, batch_size=256)
    parts = list(tqdm(loader, desc="decoding images", unit="batch", disable=None, leave=False))
    return torch.cat([p[0] for p in parts]), torch.cat([p[1] for p in parts]).to(torch.int64)


def _check(images: Tensor, labels: Tensor, spec: DataSpec) -> None:
    if images.dtype != torch.uint8 or tuple(images.shape[1:]) != spec.image.shape:
        raise DataError(
            f"the dataset says its images are uint8 {spec.image.shape}, they are "
            f"{str(images.dtype).removeprefix('torch.')} {tuple(images.shape[1:])}."
        )
    if len(images) == 0:
        raise DataError("the dataset holds no image.")
    if spec.classes and not (int(labels.min()) >= 0 and int(labels.max()) < spec.classes):
        raise DataError(
            f"the dataset says it has {spec.classes} classes, its labels are "
            f"{np.unique(labels.numpy()).tolist()[:20]}."
        )
