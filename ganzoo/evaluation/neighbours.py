"""Fidelity and diversity as separate values, from nearest neighbours in feature space."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import pairwise_distances_chunked
from sklearn.neighbors import NearestNeighbors

from ganzoo.errors import MetricError
from ganzoo.evaluation.arrays import as_features, as_integers

BLOCK = 64  # MiB of distances computed at a time
ROUNDING = 1e-6  # rounding error of distances, relative to the largest norm

Doubles = NDArray[np.float64]


class PrecisionRecall(NamedTuple):
    """Precision (fidelity) and recall (diversity) of generated images.

    Attributes:
        precision: share of fake images inside the manifold of the real images, 0 to 1.
        recall: share of real images inside the manifold of the fake images, 0 to 1.
    """

    precision: float
    recall: float


class DensityCoverage(NamedTuple):
    """Density (fidelity) and coverage (diversity) of generated images.

    Attributes:
        density: mean number of neighbourhoods of real images that hold a fake image, divided by k;
            at least 0, about 1 if both sets have the same distribution.
        coverage: share of real images with a fake image in their neighbourhood, 0 to 1.
    """

    density: float
    coverage: float


def precision_recall(real: ArrayLike, fake: ArrayLike, k: int = 3) -> PrecisionRecall:
    """Return precision and recall from balls around the points of both sets.

    "Improved Precision and Recall Metric for Assessing Generative Models" (Kynkäänniemi et al.,
    2019), https://arxiv.org/abs/1904.06991. The radius of a ball is the distance of its centre to
    its k-th nearest neighbour in the same set. Compare values of equal numbers of images only.

    Args:
        real: features of real images (n, d).
        fake: features of generated images (m, d).
        k: rank of the neighbour that defines the radius, at least 1.

    Raises:
        MetricError: there are k or fewer images of a kind, or an array is not a matrix of finite
            numbers.
    """
    real, fake = _centred(real, fake)
    real_radii, fake_radii = _radii("real", real, k), _radii("fake", fake, k)
    fake_inside = np.zeros(len(fake), dtype=bool)
    real_inside = np.zeros(len(real), dtype=bool)
    for rows, distances in _distances(fake, real):
        fake_inside[rows] = (distances <= real_radii).any(1)
        real_inside |= (distances <= fake_radii[rows, None]).any(0)
    return PrecisionRecall(float(fake_inside.mean()), float(real_inside.mean()))


def density_coverage(real: ArrayLike, fake: ArrayLike, k: int = 5) -> DensityCoverage:
    """Return density and coverage from balls around the real images.

    "Reliable Fidelity and Diversity Metrics for Generative Models" (Naeem et al., 2020),
    https://arxiv.org/abs/2002.09797. The values are robust to outliers among the fake images, which
    have no balls. The expected coverage of two sets of the same distribution and size is about
    1 - 2^-k.

    Args:
        real: features of real images (n, d).
        fake: features of generated images (m, d).
        k: rank of the neighbour that defines the radius, at least 1.

    Raises:
        MetricError: there are k or fewer real images, or an array is not a matrix of finite
            numbers.
    """
    real, fake = _centred(real, fake)
    radii = _radii("real", real, k)
    count, covered = 0, np.zeros(len(real), dtype=bool)
    for _, distances in _distances(fake, real):
        inside = distances <= radii
        count += int(inside.sum())
        covered |= inside.any(0)
    return DensityCoverage(count / (k * len(fake)), float(covered.mean()))


def _centred(real: ArrayLike, fake: ArrayLike) -> tuple[Doubles, Doubles]:
    """Subtract the real mean: distances stay the same, and their rounding error shrinks."""
    real, fake = as_features(real, fake)
    centre = real.mean(0, dtype=np.float64)
    return real - centre, fake - centre


def _radii(kind: str, points: Doubles, k: int) -> Doubles:
    """Return the distance of each point to its k-th neighbour, plus the rounding error."""
    (k,) = as_integers(k=k)
    if not 1 <= k < len(points):
        raise MetricError(
            f"neighbour k={k} does not exist among {len(points):,} {kind} images. Use k of at "
            "least 1, and more than k images of each kind."
        )
    search = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(points)
    distances = search.kneighbors()[0][:, -1]
    # The error of distances computed from products grows with the norms. With this margin, a ball
    # holds the neighbour that defines its radius.
    spread = np.linalg.norm(points, axis=1).max()
    return np.asarray(np.hypot(distances, ROUNDING * spread))


def _distances(a: Doubles, b: Doubles) -> Iterator[tuple[slice, Doubles]]:
    """Yield blocks of the distance matrix, each with its slice of the rows of `a`."""
    start = 0
    for block in pairwise_distances_chunked(a, b, working_memory=BLOCK):
        yield slice(start, start + len(block)), block
        start += len(block)
