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
        dataset: items are uint8 (channels, height, width), a label, and, where the spec has a
            condition, the uint8 image that the first is to be made from.
        spec: what the dataset says it holds.
        batch_size: images in a batch.
        seed: of the order.
        device: where the images are kept.
        rank: number of this process, which gets its share of every batch.
        ranks: how many there are.
        parts: parts that a batch is computed in; each process has a share of each.

    Attributes:
        position: number of the next batch; set it to seek.
        fingerprint: SHA-256 of all images, labels and conditions, in the dataset's order.

    Raises:
        DataError: images that are not what the spec says; a corrupt image.
    """

    def __init__(
        self,
        dataset: Dataset[tuple[Tensor, ...]],
        spec: DataSpec,
        batch_size: int,
        seed: int,
        device: torch.device,
        rank: int = 0,
        ranks: int = 1,
        parts: int = 1,
    ) -> None:
        images, labels, conditions = _decode(dataset, spec.condition is not None)
        _check(images, labels, conditions, spec)
        digest = hashlib.sha256(images.numpy().data)
        digest.update(labels.numpy().data)
        if conditions is not None:
            digest.update(conditions.numpy().data)
        self.fingerprint = digest.hexdigest()
        self.images = images.to(device)
        self.labels = labels.to(device) if spec.classes else None
        self.conditions = None if conditions is None else conditions.to(device)
        self.paired = spec.paired
        self.batch_size = batch_size
        self.seed = seed
        self.position = 0
        self._share = rank, ranks, parts
        self._orders: dict[int, tuple[int, Tensor]] = {}

    def __len__(self) -> int:
        return len(self.images)

    def __next__(self) -> Batch:
        index = self._indices(0)
        of_conditions = index if self.paired else self._indices(1)
        self.position += 1
        return self._gather(index, of_conditions)

    def first(self, n: int) -> Batch:
        """Return the first `n` images, or all there are, in the dataset's order."""
        index = torch.arange(min(n, len(self)), device=self.images.device)
        return self._gather(index, index)

    def _gather(self, index: Tensor, of_conditions: Tensor) -> Batch:
        labels = None if self.labels is None else self.labels.index_select(0, index)
        conditions = None if self.conditions is None else _pick(self.conditions, of_conditions)
        return Batch(_pick(self.images, index), labels, conditions)

    def _indices(self, stream: int) -> Tensor:
        """The next batch's images; each stream has an order of its own."""
        start, count = self.position * self.batch_size, self.batch_size
        parts = []
        while count:
            epoch, offset = divmod(start, len(self))
            if self._orders.get(stream, (-1, None))[0] != epoch:
                order = order_of_epoch(self.seed, epoch, len(self), stream)
                self._orders[stream] = epoch, torch.from_numpy(order).to(self.images.device)
            part = self._orders[stream][1][offset : offset + count]
            parts.append(part)
            start, count = start + len(part), count - len(part)
        rank, ranks, pieces = self._share
        return torch.cat(parts).view(pieces, ranks, -1)[:, rank].reshape(-1)


def _pick(pixels: Tensor, index: Tensor) -> Tensor:
    """Float32 images in [-1, 1]."""
    return pixels.index_select(0, index).to(torch.float32).div_(127.5).sub_(1.0)


def _decode(
    dataset: Dataset[tuple[Tensor, ...]], with_conditions: bool
) -> tuple[Tensor, Tensor, Tensor | None]:
    """All images, uint8 (n, channels, height, width), labels, int64 (n,), and conditions."""
    if isinstance(dataset, TensorDataset):
        images, labels, *rest = dataset.tensors
        conditions = rest[0].contiguous() if with_conditions else None
        return images.contiguous(), labels.to(torch.int64), conditions
    if len(dataset) == 0:  # type: ignore[arg-type]
        raise DataError("the dataset holds no image.")
    loader = DataLoader(dataset, batch_size=256)
    parts = list(tqdm(loader, desc="decoding images", unit="batch", disable=None, leave=False))
    conditions = torch.cat([p[2] for p in parts]) if with_conditions else None
    labels = torch.cat([p[1] for p in parts]).to(torch.int64)
    return torch.cat([p[0] for p in parts]), labels, conditions


def _check(images: Tensor, labels: Tensor, conditions: Tensor | None, spec: DataSpec) -> None:
    if conditions is not None and spec.condition is not None:
        shape = (len(images), *spec.condition.shape)
        if conditions.dtype != torch.uint8 or tuple(conditions.shape) != shape:
            raise DataError(
                f"the dataset says its conditions are uint8 {shape}, they are "
                f"{str(conditions.dtype).removeprefix('torch.')} {tuple(conditions.shape)}."
            )
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
