"""Metrics: precision, recall, density and coverage, by nearest neighbours of features."""

from __future__ import annotations

from ganzoo import Metric, evaluation
from ganzoo.evaluation import ImageSets
from ganzoo.spec import SetSizes

MANIFOLD = 3  # neighbours that define the manifolds of precision and recall
BALL = 5  # neighbours that define the balls of density and coverage


def _precision_recall(sets: ImageSets) -> dict[str, float]:
    """Precision and recall (Kynkäänniemi et al., 2019), https://arxiv.org/abs/1904.06991."""
    return evaluation.precision_recall(sets.drawn, sets.fake.features, k=MANIFOLD)._asdict()


def _density_coverage(sets: ImageSets) -> dict[str, float]:
    """Density and coverage (Naeem et al., 2020), https://arxiv.org/abs/2002.09797."""
    return evaluation.density_coverage(sets.drawn, sets.fake.features, k=BALL)._asdict()


def _too_few(sizes: SetSizes, k: int) -> str:
    enough = min(sizes.real, sizes.samples) > k
    return "" if enough else f"it needs {k + 1} or more real images and samples"


precision_recall = Metric(
    _precision_recall,
    {"precision": "higher", "recall": "higher"},
    needs=("features",),
    settings=lambda sets: f"k {MANIFOLD}, {len(sets.drawn)} real images, drawn",
    too_few=lambda sizes: _too_few(sizes, MANIFOLD),
    by_default=True,
)

density_coverage = Metric(
    _density_coverage,
    {"density": "higher", "coverage": "higher"},
    needs=("features",),
    settings=lambda sets: f"k {BALL}, {len(sets.drawn)} real images, drawn",
    too_few=lambda sizes: _too_few(sizes, BALL),
    by_default=True,
)
