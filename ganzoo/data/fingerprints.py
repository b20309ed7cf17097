"""Fingerprints that identify a run's dataset."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Any

from torch import Tensor
from torch.utils.data import Dataset, TensorDataset

from ganzoo.data.decoding import decode
from ganzoo.data.reading import CHUNK, Items, chunks, read_items
from ganzoo.data.workers import ReadAhead
from ganzoo.sampling.image_warnings import ImageFileWarning
from ganzoo.spec import DataSpec
from ganzoo.system.bars import progress_bar
from ganzoo.system.quiet import ignored_warnings

STREAM = "stream:"  # prefix of a fingerprint that does not cover all pixels


def fingerprint_items(items: Items) -> str:
    """Return the SHA-256 of all images, labels and conditions in the dataset's order."""
    digest = hashlib.sha256(_bytes(items.images))
    digest.update(_bytes(items.labels))
    if items.conditions is not None:
        digest.update(_bytes(items.conditions))
    return digest.hexdigest()


def fingerprint_stream(dataset: Dataset[tuple[Tensor, ...]], spec: DataSpec) -> str:
    """Return a fingerprint that does not read the whole dataset: ``stream:`` and a SHA-256.

    It covers the dataset's length, the sizes and classes of its spec, its attribute `fingerprint`
    (a str) if it has one, and its first and last item. It does not cover the pixels of the items
    in between.
    """
    length = len(dataset)  # type: ignore[arg-type]
    fields = dataclasses.asdict(spec)
    facts: dict[str, Any] = {
        "length": length,
        "spec": {k: fields[k] for k in ("image", "classes", "labels", "condition", "paired")},
        "dataset": getattr(dataset, "fingerprint", None),
    }
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    ends = (0, length - 1)
    items = read_items(dataset, spec, ends, ends)
    digest.update(fingerprint_items(items).encode())
    return STREAM + digest.hexdigest()


def has_fingerprint(
    fingerprint: str,
    dataset: Dataset[tuple[Tensor, ...]],
    spec: DataSpec,
    sha256: str | None = None,
    workers: int = 0,
) -> bool:
    """Return whether a fingerprint, of either kind, is that of a dataset.

    Args:
        fingerprint: the result of `fingerprint_items` or `fingerprint_stream`.
        dataset: as for `Batches`.
        spec: the dataset's spec.
        sha256: the result of `fingerprint_items` for this dataset, if it is known. Without, all
            items are read.
        workers: number of worker processes that read.
    """
    if fingerprint.startswith(STREAM):
        return fingerprint == fingerprint_stream(dataset, spec)
    return fingerprint == (sha256 or _fingerprint_dataset(dataset, spec, workers))


def _fingerprint_dataset(dataset: Dataset[tuple[Tensor, ...]], spec: DataSpec, workers: int) -> str:
    """Return the result of `fingerprint_items`, computed in one pass per kind of tensor."""
    if isinstance(dataset, TensorDataset):
        return fingerprint_items(decode(dataset, spec))
    length = len(dataset)  # type: ignore[arg-type]
    digest = hashlib.sha256()
    for column in range(2 if spec.condition is None else 3):
        ahead = ReadAhead(dataset, spec, chunks(length), workers=workers)
        total = -(-length // CHUNK)
        progress = progress_bar(ahead, "comparing data", total=total, unit="batch")
        with ignored_warnings(ImageFileWarning):  # shown when the dataset was opened
            for items in progress:
                part = items[column]
                assert part is not None
                digest.update(_bytes(part))
    return digest.hexdigest()


def _bytes(tensor: Tensor) -> memoryview:
    return tensor.contiguous().numpy().data
