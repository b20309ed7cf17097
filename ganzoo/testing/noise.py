"""Data to train on for a moment: noise of whatever size is asked for."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import torch
from torch.utils.data import TensorDataset

from ganzoo.registry import datasets
from ganzoo.spec import Component, DataSpec

COUNT = 24  # images


@contextlib.contextmanager
def noise(data: DataSpec) -> Iterator[Component]:
    """Register a dataset of noise that is as `data` says, for as long as the block lasts."""
    name = "noise-for-checks"

    def make(root: Path | None) -> tuple[TensorDataset, DataSpec]:
        rng = torch.Generator().manual_seed(0)
        sizes = [data.image] + ([data.condition] if data.condition else [])
        images, *conditions = (
            torch.randint(256, (COUNT, *size.shape), generator=rng, dtype=torch.uint8)
            for size in sizes
        )
        return TensorDataset(images, torch.arange(COUNT) % max(data.classes, 1), *conditions), data

    datasets.register(name)(make)
    try:
        yield Component(name)
    finally:
        datasets.unregister(name)
