"""Metric: the Fréchet distance of the features."""

from __future__ import annotations

from ganzoo import Metric, evaluation
from ganzoo.evaluation import ImageSets


def _frechet(sets: ImageSets) -> dict[str, float]:
    """Fréchet distance (Heusel et al., 2017), https://arxiv.org/abs/1706.08500."""
    value = evaluation.frechet_distance(sets.real.features, sets.fake.features)
    return {"frechet_distance": value}


frechet = Metric(
    _frechet,
    {"frechet_distance": "lower"},
    needs=("features",),
    settings=lambda sets: "all real images",
    by_default=True,
)
