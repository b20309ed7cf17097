"""How near the samples are to the training images."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganzoo import Metric, evaluation
from ganzoo.evaluation import ImageSets

SEARCHED = 1_000  # samples whose nearest training image is searched


def _memorisation(sets: ImageSets) -> dict[str, float]:
    """Authenticity (Alaa et al., 2022), https://arxiv.org/abs/2102.08921."""
    spaces: dict[str, tuple[NDArray[Any], NDArray[Any]]] = {
        "pixels": (sets.fake.rows, sets.real.rows),
        "features": (sets.fake.features, sets.real.features),
    }
    figures = {}
    for space, (fake, real) in spaces.items():
        nearest = evaluation.nearest_training(fake[:SEARCHED], real)
        figures[f"nearest_by_{space}"] = float(np.median(nearest.distances))
        figures[f"authenticity_by_{space}"] = evaluation.authenticity(nearest, real)
    return figures


memorisation = Metric(
    _memorisation,
    {
        "nearest_by_pixels": "neither",  # copies are near, and so are good samples
        "nearest_by_features": "neither",
        "authenticity_by_pixels": "higher",
        "authenticity_by_features": "higher",
    },
    needs=("features",),
    settings=lambda sets: f"{min(len(sets.fake), SEARCHED)} samples, all real images",
    by_default=True,
)
