"""Metric: distances of the samples to the training images."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganzoo import Metric, evaluation
from ganzoo.evaluation import ImageSets
from ganzoo.spec import SetSizes

SEARCHED = 1_000  # samples that are compared with the training images


def _memorisation(sets: ImageSets) -> dict[str, float]:
    """Authenticity (Alaa et al., 2022), https://arxiv.org/abs/2102.08921."""
    spaces: dict[str, tuple[NDArray[Any], NDArray[Any]]] = {
        "pixels": (sets.fake.rows, sets.real.rows),
        "features": (sets.fake.features, sets.real.features),
    }
    files = _count_files(sets.real.pixels)
    values = {}
    for space, (fake, real) in spaces.items():
        nearest = evaluation.nearest_training(fake[:SEARCHED], real)
        values[f"nearest_by_{space}"] = float(np.median(nearest.distances))
        values[f"authenticity_by_{space}"] = _authenticity(nearest, real, files)
    return values


def _count_files(images: NDArray[np.uint8]) -> int:
    """Return how many images are not flipped copies: half, if the second half mirrors the first."""
    half = len(images) // 2
    first, second = images[:half], images[half:]
    is_flipped = half > 1 and all(
        np.array_equal(second[:n], first[:n, ..., ::-1]) for n in (1, len(second))
    )
    return half if is_flipped else len(images)


def _authenticity(nearest: evaluation.Nearest, real: NDArray[Any], files: int) -> float:
    """Return the share of authentic samples; the mirror image of an image is no neighbour of it.

    Args:
        nearest: the nearest training image of each sample.
        real: the training images, (n, d): those of all files, perhaps followed by flipped copies.
        files: number of files.
    """
    shares = 0.0
    for start in range(0, len(real), files):
        rows = (start <= nearest.indices) & (nearest.indices < start + files)
        if rows.any():
            part = evaluation.Nearest(nearest.indices[rows] - start, nearest.distances[rows])
            share = evaluation.authenticity(part, real[start : start + files])
            shares += share * rows.mean()
    return float(shares)


def _too_few(sizes: SetSizes) -> str:
    return "" if sizes.real >= 2 else "it needs two or more real images"


memorisation = Metric(
    _memorisation,
    {
        "nearest_by_pixels": "neither",  # low for copies and for good samples alike
        "nearest_by_features": "neither",
        "authenticity_by_pixels": "higher",
        "authenticity_by_features": "higher",
    },
    needs=("features",),
    settings=lambda sets: f"{min(len(sets.fake), SEARCHED)} samples, all real images",
    too_few=_too_few,
    by_default=True,
)
