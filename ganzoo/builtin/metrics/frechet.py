"""Metric: the Fréchet distance of the features."""

from __future__ import annotations

from ganzoo import Metric, evaluation
from ganzoo.evaluation import ImageSets
from ganzoo.spec import SetSizes


def _frechet(sets: ImageSets) -> dict[str, float]:
    """Fréchet distance (Heusel et al., 2017), https://arxiv.org/abs/1706.08500.

        |m - n|^2 + tr(C + D - 2 (C D)^(1/2))

    m and C are the mean and the covariance of the features of real images, n and D of samples.
    """
    value = evaluation.frechet_distance(sets.real.features, sets.fake.features)
    return {"frechet_distance": value}


def _too_few(sizes: SetSizes) -> str:
    if min(sizes.real, sizes.samples) > sizes.features:
        return ""
    return (
        f"features of {sizes.features:,} dimensions need {sizes.features + 1:,} or more real "
        f"images and samples, and there are {sizes.real:,} and {sizes.samples:,}"
    )


frechet = Metric(
    _frechet,
    {"frechet_distance": "lower"},
    needs=("features",),
    settings=lambda sets: "all real images",
    too_few=_too_few,
    by_default=True,
)
