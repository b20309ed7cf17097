"""What was computed of real images is kept, by what it was computed from."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable
from typing import Any

import safetensors.numpy
from safetensors import SafetensorError

from ganzoo.bundle.files import cache_folder, write_file
from ganzoo.errors import OutputError
from ganzoo.evaluation.extraction import Features


def cached_features(key: dict[str, Any], compute: Callable[[], Features]) -> Features:
    """Return features that are computed once and then read.

    A cache that cannot be written, or that holds a damaged file, is as good as none.

    Args:
        key: JSON of all that they depend on: content hashes, not names.
        compute: computes them.
    """
    name = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
    file = cache_folder() / "features" / f"{name}.safetensors"
    with contextlib.suppress(OSError, SafetensorError, KeyError):
        kept = safetensors.numpy.load(file.read_bytes())
        return Features(kept["features"], kept.get("logits"))
    found = compute()
    arrays = {"features": found.features}
    if found.logits is not None:
        arrays["logits"] = found.logits
    with contextlib.suppress(OutputError):
        write_file(file, safetensors.numpy.save(arrays))
    return found
