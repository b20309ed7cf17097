"""Metric: the kernel distance of the features."""

from __future__ import annotations

from ganzoo import Metric, evaluation
from ganzoo.evaluation import ImageSets
from ganzoo.spec import SetSizes

LEAST = 4  # images of each kind
SUBSETS = 100  # number of subsets that the distance is averaged over


def _kernel(sets: ImageSets) -> dict[str, float]:
    """Kernel distance (Bińkowski et al., 2018), https://arxiv.org/abs/1801.01401."""
    estimate = evaluation.kernel_distance(
        sets.drawn, sets.fake.features, seed=sets.seed, subsets=SUBSETS
    )
    return {"kernel_distance": estimate.value, "kernel_distance_error": estimate.error}


def _settings(sets: ImageSets) -> str:
    size = evaluation.usable_subset_size(len(sets.drawn), len(sets.fake))
    return f"{SUBSETS} subsets of {size} images"


def _too_few(sizes: SetSizes) -> str:
    enough = min(sizes.real, sizes.samples) >= LEAST
    return "" if enough else f"it needs {LEAST} or more real images and samples"


kernel = Metric(
    _kernel,
    {"kernel_distance": "lower", "kernel_distance_error": "neither"},
    needs=("features",),
    settings=_settings,
    too_few=_too_few,
    by_default=True,
)
