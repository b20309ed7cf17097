"""A cache of the features of real images."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from safetensors import SafetensorError

from ganzoo.bundle.files import write_file
from ganzoo.bundle.sealing import check_seal, seal
from ganzoo.errors import OutputError
from ganzoo.evaluation.extraction import Features
from ganzoo.system.cache import cache_folder

PROBED = 4  # images whose features are computed again
SAME = 1e-3  # largest difference of two computations, relative to the largest number


def cached_features(key: dict[str, Any], compute: Callable[[int | None], Features]) -> Features:
    """Return features from the cache, or compute and cache them.

    The features are recomputed if the cache cannot be read, holds a file that differs from its
    digest, or has other features of the first images than the extractor returns now: its code may
    have changed.

    Args:
        key: what the features depend on besides the extractor's code, as JSON: content hashes, not
            names.
        compute: computes the features of the first n images, or of all for None.
    """
    name = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
    file = cache_folder() / "features" / f"{name}.safetensors"
    with contextlib.suppress(OSError, SafetensorError, KeyError, ValueError):
        check_seal(file)
        arrays = safetensors.numpy.load(file.read_bytes())
        cached = Features(arrays["features"], arrays.get("logits"))
        if all(map(_are_same, compute(PROBED), cached)):
            return cached
    features = compute(None)
    arrays = {"features": features.features}
    if features.logits is not None:
        arrays["logits"] = features.logits
    with contextlib.suppress(OutputError):
        write_file(file, b"".join(seal(safetensors.numpy.save(arrays))))
    return features


def _are_same(now: NDArray[Any] | None, cached: NDArray[Any] | None) -> bool:
    """Return whether the first rows of an array are the same but for rounding."""
    if now is None or cached is None:
        return now is cached
    tolerance = SAME * float(np.abs(now).max(initial=0.0))
    first = cached[: len(now)]
    return first.shape == now.shape and bool((np.abs(first - now) <= tolerance).all())
