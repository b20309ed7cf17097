"""Sub-folders that look like splits of a dataset, such as train and test."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable

SPLITS = ("train", "training", "val", "valid", "validation", "dev", "test", "testing")
_DOMAINS = frozenset(f"{name}{domain}" for name in SPLITS for domain in "ab")  # trainA, of CycleGAN


def split_of(name: str) -> str:
    """Return the folder of a relative path that looks like a split; empty if there is none."""
    for part in name.split(os.sep)[:-1]:
        if part.lower() in SPLITS or part.lower() in _DOMAINS:
            return part
    return ""


def count_splits(names: Iterable[str]) -> dict[str, int]:
    """Return the number of files of each split, empty if there are not several splits."""
    counts = Counter(split for name in names if (split := split_of(name)))
    return dict(sorted(counts.items())) if len(counts) > 1 else {}


def spans_splits(group: Iterable[str], splits: Collection[str]) -> bool:
    """Return whether files of a group are in several splits."""
    return len({split for name in group if (split := split_of(name)) in splits}) > 1
