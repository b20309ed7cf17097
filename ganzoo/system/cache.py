"""The folder of what ganzoo keeps between runs."""

from __future__ import annotations

import os
from pathlib import Path

CACHE_VARIABLE = "GANZOO_CACHE"


def cache_folder() -> Path:
    """Return the cache folder: GANZOO_CACHE, or ``ganzoo`` in the user's cache folder."""
    if folder := os.environ.get(CACHE_VARIABLE):
        return Path(folder).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ganzoo"
