"""Distances between the feature distributions of two sets of images."""

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

from ganzoo.errors import MetricError
from ganzoo.evaluation.arrays import as_features, as_integers
from ganzoo.evaluation.estimate import Estimate
from ganzoo.system.dependencies import quiet_imports

with quiet_imports():
    from torchmetrics.image.fid import FrechetInceptionDistance

ROWS = 4096  # images converted to float64 at a time


def frechet_distance(real: ArrayLike, fake: ArrayLike) -> float:
    """Return the squared Fréchet distance between Gaussians fitted to the features.

    With the features of Inception v3 this is FID: "GANs Trained by a Two Time-Scale Update Rule
    Converge to a Local Nash Equilibrium" (Heusel et al., 2017), https://arxiv.org/abs/1706.08500.
    The estimate is biased upwards, and the bias grows as the number of images shrinks. Compare
    values of equal numbers of images only ("Effectively Unbiased FID and Inception Score", Chong
    and Forsyth, 2020, https://arxiv.org/abs/1911.07023).

    Args:
        real: features of real images (n, d).
        fake: features of generated images (m, d).

    Returns:
        At least 0, in squared units of the features. The distance is symmetric.

    Raises:
        MetricError: n or m is d or less, so that a covariance would be singular, or an array is
            not a matrix of finite numbers.
    """
    real, fake = as_features(real, fake)
    dimensions = real.shape[1]
    for kind, features in (("real", real), ("fake", fake)):
        if len(features) <= dimensions:
            raise MetricError(
                f"the Fréchet distance cannot be computed with {len(features):,} {kind} images: "
                f"features of {dimensions:,} dimensions need {dimensions + 1:,} or more of each "
                "kind. Use more images, an extractor of fewer dimensions, or the kernel distance."
            )
    identity = nn.Identity()
    identity.num_features = dimensions
    # With synchronisation, a call in one process of a group would wait for the other processes.
    metric = FrechetInceptionDistance(identity, sync_on_compute=False)
    centre = real.mean(0, dtype=np.float64)  # a shift keeps the distance and makes sums smaller
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
    """Return the unbiased squared maximum mean discrepancy under the kernel (x·y / d + 1)³.

    With the features of Inception v3 this is KID: "Demystifying MMD GANs" (Bińkowski et al., 2018),
    section 4, https://arxiv.org/abs/1801.01401. The value is the mean over random subsets of both
    sets.

    Args:
        real: features of real images (n, d).
        fake: features of generated images (m, d).
        seed: seed of the random subsets, at least 0.
        subsets: number of subsets, at least 2.
        subset_size: largest number of images of each kind in a subset. `usable_subset_size` returns
            the number that is used.

    Returns:
        The distance and its standard error. The distance of two halves of one set is about 0, and
        may be slightly negative. The error is the delete-d jackknife's: the standard deviation over
        subsets times sqrt(size / left out) ("A General Theory for Jackknife Variance Estimation",
        Shao and Wu, 1989, https://doi.org/10.1214/aos/1176347263). Most papers report the standard
        deviation over subsets instead.

    Raises:
        MetricError: there are fewer than 4 images of a kind, or an argument is out of its range.
    """
    real, fake = as_features(real, fake)
    seed, subsets = as_integers(seed=seed, subsets=subsets)
    size = usable_subset_size(len(real), len(fake), subset_size)
    if subsets < 2 or seed < 0:
        raise MetricError(
            f"the kernel distance cannot be computed with subsets={subsets} and seed={seed}. "
            "Use 2 or more subsets and a seed of 0 or more."
        )
    moments = kid_features_to_metric(
        torch.from_numpy(real.astype(np.float64)),
        torch.from_numpy(fake.astype(np.float64)),
        kid_subsets=subsets,
        kid_subset_size=size,
        rng_seed=np.random.SeedSequence(seed).generate_state(4),
        verbose=False,
    )
    left_out = min(len(real), len(fake)) - size
    error = moments[KEY_METRIC_KID_STD] * math.sqrt(size / left_out)
    return Estimate(moments[KEY_METRIC_KID_MEAN], error)


def usable_subset_size(real: int, fake: int, subset_size: int = 1000) -> int:
    """Return the subset size that `kernel_distance` uses: at most half of the smaller set.

    Larger subsets overlap so much that their spread underestimates the error. The distance is
    unbiased at any size.

    Args:
        real: number of real images.
        fake: number of generated images.
        subset_size: largest size, at least 2.

    Raises:
        MetricError: there are fewer than 4 images of a kind, or `subset_size` is below 2.
    """
    real, fake, subset_size = as_integers(real=real, fake=fake, subset_size=subset_size)
    if min(real, fake) < 4 or subset_size < 2:
        raise MetricError(
            f"the kernel distance cannot be computed with {real:,} real and {fake:,} fake images "
            f"in subsets of {subset_size}. Use 4 or more images of each kind, and subsets of 2 or "
            "more."
        )
    return min(subset_size, real // 2, fake // 2)
