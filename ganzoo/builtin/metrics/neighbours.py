"""Metrics: precision, recall, density and coverage, by nearest neighbours of features."""

from __future__ import annotations

from ganzoo import Metric, evaluation
from ganzoo.evaluation import ImageSets


def _precision_recall(sets: ImageSets) -> dict[str, float]:
    """Precision and recall (Kynkäänniemi et al., 2019), https://arxiv.org/abs/1904.06991."""
    return evaluation.precision_recall(sets.drawn, sets.fake.features, k=3)._asdict()


def _density_coverage(sets: ImageSets) -> dict[str, float]:
    """Density and coverage (Naeem et al., 2020), https://arxiv.org/abs/2002.09797."""
    return evaluation.density_coverage(sets.drawn, sets.fake.features, k=5)._asdict()


precision_recall = Metric(
    _precision_recall,
    {"precision": "higher", "recall": "higher"},
    needs=("features",),
    settings=lambda sets: f"k 3, {len(sets.drawn)} real images, drawn",
    by_default=True,
)

density_coverage = Metric(
    _density_coverage,
    {"density": "higher", "coverage": "higher"},
    needs=("features",),
    settings=lambda sets: f"k 5, {len(sets.drawn)} real images, drawn",
    by_default=True,
)
