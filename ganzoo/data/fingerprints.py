"""By what a run knows its data again."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Any

from torch import Tensor
from torch.utils.data import Dataset

from ganzoo.data.reading import Items, read_items
from ganzoo.spec import DataSpec

STREAM = "stream:"  # begins every fingerprint that is not of all pixels


def fingerprint_items(items: Items) -> str:
    """SHA-256 of all images, labels and conditions, in the dataset's order."""
    digest = hashlib.sha256(_bytes(items.images))
    digest.update(_bytes(items.labels))
    if items.conditions is not None:
        digest.update(_bytes(items.conditions))
    return digest.hexdigest()


def fingerprint_stream(dataset: Dataset[tuple[Tensor, ...]], spec: DataSpec) -> str:
    """``stream:`` and the SHA-256 of what can be known of a dataset without reading it all.

    That is its length, the sizes and classes of its spec, its own attribute `fingerprint` (a str)
    where it has one, and its first and last item. Pixels that changed in between are not noticed.
    """
    length = len(dataset)  # type: ignore[arg-type]
    said = dataclasses.asdict(spec)
    facts: dict[str, Any] = {
        "length": length,
        "spec": {k: said[k] for k in ("image", "classes", "labels", "condition", "paired")},
        "dataset": getattr(dataset, "fingerprint", None),
    }
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    ends = (0, length - 1)
    digest.update(fingerprint_items(read_items(dataset, spec, ends, ends)).encode())
    return STREAM + digest.hexdigest()


def _bytes(tensor: Tensor) -> memoryview:
    return tensor.contiguous().numpy().data
