"""Metric: the Inception score, with the logits of any extractor."""

from __future__ import annotations

from ganzoo import Metric, evaluation
from ganzoo.evaluation import ImageSets
from ganzoo.spec import SetSizes

SPLITS = 10


def _inception_score(sets: ImageSets) -> dict[str, float]:
    """Inception score (Salimans et al., 2016), https://arxiv.org/abs/1606.03498."""
    estimate = evaluation.inception_score(sets.fake.logits, splits=SPLITS, seed=sets.seed)
    return {"inception_score": estimate.value, "inception_score_error": estimate.error}


def _too_few(sizes: SetSizes) -> str:
    least = 2 * SPLITS
    return "" if sizes.samples >= least else f"it needs {least} or more samples"


inception_score = Metric(
    _inception_score,
    {"inception_score": "higher", "inception_score_error": "neither"},
    needs=("logits",),
    settings=lambda sets: f"{SPLITS} splits",
    too_few=_too_few,
    by_default=True,
)
