"""Fingerprints that identify a run's dataset."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Any

from torch import Tensor
from torch.utils.data import Dataset

from ganzoo.data.reading import Items, read_items
from ganzoo.spec import DataSpec

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
    digest.update(fingerprint_items(read_items(dataset, spec, ends, ends)).encode())
    return STREAM + digest.hexdigest()


def _bytes(tensor: Tensor) -> memoryview:
    return tensor.contiguous().numpy().data
