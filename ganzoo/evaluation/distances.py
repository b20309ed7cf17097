"""Distances between two sets of images, by the distributions of their features."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import nn
from torch_fidelity.metric_kid import (
    KEY_METRIC_KID_MEAN,
    KEY_METRIC_KID_STD,
    kid_features_to_metric,
)
from torchmetrics.image.fid import FrechetInceptionDistance

from ganzoo.errors import MetricError
from ganzoo.evaluation.arrays import as_features
from ganzoo.evaluation.estimate import Estimate

ROWS = 4096  # images that are float64 at a time


def frechet_distance(real: ArrayLike, fake: ArrayLike) -> float:
    """Squared Fréchet distance between the Gaussians that have the features' moments.

    With the features of Inception v3 it is FID: "GANs Trained by a Two Time-Scale Update Rule
    Converge to a Local Nash Equilibrium" (Heusel et al., 2017), https://arxiv.org/abs/1706.08500.
    It is biased upwards, the more so the fewer images there are: compare figures of equal numbers
    only ("Effectively Unbiased FID and Inception Score", Chong and Forsyth, 2020,
    https://arxiv.org/abs/1911.07023).

    Args:
        real: features (n, d) of real images.
        fake: features (m, d) of generated ones.

    Returns:
        At least 0, in squared units of the features. The order of the two does not matter.

    Raises:
        MetricError: n or m is d or less, so that a covariance would be singular; or no features.
    """
    real, fake = as_features(real, fake)
    dimensions = real.shape[1]
    for kind, features in (("real", real), ("fake", fake)):
        if len(features) <= dimensions:
            raise MetricError(
                f"the Fréchet distance was asked with {len(features):,} {kind} images; features of "
                f"{dimensions:,} dimensions need {dimensions + 1:,} or more of each kind. Take "
                "more images, features of fewer dimensions, or the kernel distance."
            )
    identity = nn.Identity()
    identity.num_features = dimensions
    # Whoever calls this in one process of a group would wait for the others otherwise.
    metric = FrechetInceptionDistance(identity, sync_on_compute=False)
    centre = real.mean(0, dtype=np.float64)  # a shift changes nothing, and sums stay small
    for is_real, features in ((True, real), (False, fake)):
        for start in range(0, len(features), ROWS):
            rows = features[start : start + ROWS] - centre
            metric.update(torch.from_numpy(rows), real=is_real)
    return max(float(metric.compute()), 0.0)


def kernel_distance(
    real: ArrayLike,
    fake: ArrayLike,
    *,
    seed: int = 0,
    subsets: int = 100,
    subset_size: int = 1000,
) -> Estimate:
    """Squared maximum mean discrepancy under the kernel (x·y / d + 1)³, without bias.

    With the features of Inception v3 it is KID: "Demystifying MMD GANs" (Bińkowski et al., 2018),
    section 4, https://arxiv.org/abs/1801.01401. The mean over random subsets of both sets.

    Args:
        real: features (n, d) of real images.
        fake: features (m, d) of generated ones.
        seed: of the subsets' choice, at least 0.
        subsets: how many are drawn, 2 or more.
        subset_size: images of each kind in one; `usable_subset_size` says how many it will be.

    Returns:
        The distance, about 0 or slightly below it for two halves of one set; and its standard error
        by the delete-d jackknife, the subsets' standard deviation times sqrt(size / left out)
        ("A General Theory for Jackknife Variance Estimation", Shao and Wu, 1989,
        https://doi.org/10.1214/aos/1176347263). Papers mostly print that standard deviation.

    Raises:
        MetricError: fewer than 4 images of a kind, or an argument out of its range.
    """
    real, fake = as_features(real, fake)
    size = usable_subset_size(len(real), len(fake), subset_size)
    if subsets < 2 or seed < 0:
        raise MetricError(
            f"the kernel distance was asked with subsets={subsets} and seed={seed}: it needs 2 or "
            "more subsets, and a seed of 0 or more."
        )
    found = kid_features_to_metric(
        torch.from_numpy(real.astype(np.float64)),
        torch.from_numpy(fake.astype(np.float64)),
        kid_subsets=subsets,
        kid_subset_size=size,
        rng_seed=np.random.SeedSequence(seed).generate_state(4),
        verbose=False,
    )
    left_out = min(len(real), len(fake)) - size
    error = found[KEY_METRIC_KID_STD] * math.sqrt(size / left_out)
    return Estimate(found[KEY_METRIC_KID_MEAN], error)


def usable_subset_size(real: int, fake: int, subset_size: int = 1000) -> int:
    """Return the subset size that `kernel_distance` uses: at most half of the smaller set.

    Larger subsets are so much alike that their spread no longer tells the error. The distance is
    unbiased at any size.

    Args:
        real: number of real images.
        fake: number of generated ones.
        subset_size: what is asked, 2 or more.

    Raises:
        MetricError: fewer than 4 images of a kind, or less than 2 asked.
    """
    if min(real, fake) < 4 or subset_size < 2:
        raise MetricError(
            f"the kernel distance was asked with {real:,} real and {fake:,} fake images in subsets "
            f"of {subset_size}: it needs 4 or more images of each kind, and subsets of 2 or more."
        )
    return min(subset_size, real // 2, fake // 2)
