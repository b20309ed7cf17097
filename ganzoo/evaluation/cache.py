"""A cache of the features of real images."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable
from typing import Any

import safetensors.numpy
from safetensors import SafetensorError

from ganzoo.bundle.files import write_file
from ganzoo.bundle.sealing import check_seal, seal
from ganzoo.errors import OutputError
from ganzoo.evaluation.extraction import Features
from ganzoo.system.cache import cache_folder


def cached_features(key: dict[str, Any], compute: Callable[[], Features]) -> Features:
    """Return features from the cache, or compute and cache them.

    The features are recomputed if the cache cannot be read, or holds a file that differs from its
    digest.

    Args:
        key: everything the features depend on, as JSON: content hashes, not names.
        compute: computes the features.
    """
    name = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
    file = cache_folder() / "features" / f"{name}.safetensors"
    with contextlib.suppress(OSError, SafetensorError, KeyError, ValueError):
        check_seal(file)
        cached = safetensors.numpy.load(file.read_bytes())
        return Features(cached["features"], cached.get("logits"))
    features = compute()
    arrays = {"features": features.features}
    if features.logits is not None:
        arrays["logits"] = features.logits
    with contextlib.suppress(OutputError):
        write_file(file, b"".join(seal(safetensors.numpy.save(arrays))))
    return features
