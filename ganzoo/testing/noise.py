"""A temporary dataset of noise."""

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
    """Register a dataset of noise that matches `data`, inside the block."""
    name = "noise-for-checks"

    def noise_dataset(root: Path | None) -> tuple[TensorDataset, DataSpec]:
        rng = torch.Generator().manual_seed(0)
        sizes = [data.image] + ([data.condition] if data.condition else [])
        images, *conditions = (
            torch.randint(256, (COUNT, *size.shape), generator=rng, dtype=torch.uint8)
            for size in sizes
        )
        return TensorDataset(images, torch.arange(COUNT) % max(data.classes, 1), *conditions), data

    datasets.register(name)(noise_dataset)
    try:
        yield Component(name)
    finally:
        datasets.unregister(name)
