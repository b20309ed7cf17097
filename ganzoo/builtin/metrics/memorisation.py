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
    values = {}
    for space, (fake, real) in spaces.items():
        nearest = evaluation.nearest_training(fake[:SEARCHED], real)
        values[f"nearest_by_{space}"] = float(np.median(nearest.distances))
        values[f"authenticity_by_{space}"] = evaluation.authenticity(nearest, real)
    return values


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
