"""Fidelity and diversity apart: who lies among whose nearest neighbours, in feature space."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import pairwise_distances_chunked
from sklearn.neighbors import NearestNeighbors

from ganzoo.errors import MetricError
from ganzoo.evaluation.arrays import as_features

BLOCK = 64  # MiB of distances at a time
ROUNDING = 1e-6  # of distances, relative to the features' spread

Doubles = NDArray[np.float64]


class PrecisionRecall(NamedTuple):
    """How much of the fake is like the real, and how much of the real is like the fake.

    Attributes:
        precision: share of fake images inside the real ones' manifold, 0 to 1.
        recall: share of real images inside the fake ones' manifold, 0 to 1.
    """

    precision: float
    recall: float


class DensityCoverage(NamedTuple):
    """How densely the fake lies among the real, and how much of the real has fake beside it.

    Attributes:
        density: neighbourhoods of real images that hold a fake one, over k; 0 or more, about 1
            where both are of one distribution.
        coverage: share of real images with a fake one in their neighbourhood, 0 to 1.
    """

    density: float
    coverage: float


def precision_recall(real: ArrayLike, fake: ArrayLike, k: int = 3) -> PrecisionRecall:
    """Precision and recall of two manifolds, each a ball a point up to its k-th neighbour.

    "Improved Precision and Recall Metric for Assessing Generative Models" (Kynkäänniemi et al.,
    2019), https://arxiv.org/abs/1904.06991. Compare figures of equal numbers of images only.

    Args:
        real: features (n, d) of real images.
        fake: features (m, d) of generated ones.
        k: which neighbour ends a ball, among the other images of its kind.

    Raises:
        MetricError: k or fewer images of a kind, or no features.
    """
    real, fake = _centred(real, fake)
    of_real, of_fake = _radii("real", real, k), _radii("fake", fake, k)
    like_real = np.zeros(len(fake), dtype=bool)
    like_fake = np.zeros(len(real), dtype=bool)
    for rows, distances in _distances(fake, real):
        like_real[rows] = (distances <= of_real).any(1)
        like_fake |= (distances <= of_fake[rows, None]).any(0)
    return PrecisionRecall(float(like_real.mean()), float(like_fake.mean()))


def density_coverage(real: ArrayLike, fake: ArrayLike, k: int = 5) -> DensityCoverage:
    """Density and coverage: balls around real images alone, which outliers among the fake spare.

    "Reliable Fidelity and Diversity Metrics for Generative Models" (Naeem et al., 2020),
    https://arxiv.org/abs/2002.09797. Coverage of two sets of one distribution and n images each is
    about 1 - 2^-k.

    Args:
        real: features (n, d) of real images.
        fake: features (m, d) of generated ones.
        k: which neighbour ends a ball, among the other real images.

    Raises:
        MetricError: k or fewer real images, or no features.
    """
    real, fake = _centred(real, fake)
    of_real = _radii("real", real, k)
    inside, covered = 0, np.zeros(len(real), dtype=bool)
    for _, distances in _distances(fake, real):
        held = distances <= of_real
        inside += int(held.sum())
        covered |= held.any(0)
    return DensityCoverage(inside / (k * len(fake)), float(covered.mean()))


def _centred(real: ArrayLike, fake: ArrayLike) -> tuple[Doubles, Doubles]:
    """Both about the real mean: distances stay, and what they are rounded by shrinks."""
    real, fake = as_features(real, fake)
    centre = real.mean(0, dtype=np.float64)
    return real - centre, fake - centre


def _radii(kind: str, points: Doubles, k: int) -> Doubles:
    """Each point's distance to its k-th nearest other, and what distances are rounded by."""
    if not 1 <= k < len(points):
        raise MetricError(
            f"neighbour k={k} was asked among {len(points):,} {kind} images: k is at least 1, and "
            "there are more images of each kind than k."
        )
    found = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(points).kneighbors()[0][:, -1]
    # Of products, distances have an error that grows with the norms. A ball's last neighbour is in.
    spread = np.linalg.norm(points, axis=1).max()
    return np.asarray(np.hypot(found, ROUNDING * spread))


def _distances(of: Doubles, to: Doubles) -> Iterator[tuple[slice, Doubles]]:
    """Blocks of the matrix of distances, with their rows."""
    start = 0
    for block in pairwise_distances_chunked(of, to, working_memory=BLOCK):
        yield slice(start, start + len(block)), block
        start += len(block)
