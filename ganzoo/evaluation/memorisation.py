"""Whether samples are copies: each one's nearest training image, and how near that is."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.neighbors import NearestNeighbors

from ganzoo.errors import MetricError
from ganzoo.evaluation.arrays import Floats, as_row_pair, as_rows


class Nearest(NamedTuple):
    """The nearest training image of each sample.

    Attributes:
        indices: its row, int64 (n,); of several that are equally near, one of them.
        distances: Euclidean, float64 (n,); exactly 0 for a copy.
    """

    indices: NDArray[np.int64]
    distances: NDArray[np.float64]


def nearest_training(samples: ArrayLike, training: ArrayLike) -> Nearest:
    """Find the nearest training image of each sample, by pixels or by features.

    Args:
        samples: generated images, (n, d): flattened pixels, in any unit, or features.
        training: every image of the training set, (m, d), in the same unit.

    Raises:
        MetricError: no such matrices, or of other widths.
    """
    samples, training = as_row_pair("the samples", samples, "the training images", training)
    indices = _neighbours(samples, training, 1)[:, 0]
    return Nearest(indices, _distances(samples, training[indices]))


def authentic(nearest: Nearest, training: ArrayLike) -> NDArray[np.bool_]:
    """Tell samples that are no nearer to a training image than its own kind is, bool (n,).

    A sample is authentic if it is farther from its nearest training image than that one is from its
    own nearest other: "How Faithful is your Synthetic Data? Sample-level Metrics for Evaluating and
    Auditing Generative Models" (Alaa et al., 2022), https://arxiv.org/abs/2102.08921.

    A sample that is not need not be a copy. Of new images of the data's own distribution, as many
    are not as are mutual nearest neighbours: 2 in 3 on a line, 1 in 3 of MNIST's test digits by
    their pixels. So judge the share beside that of as many real images kept from the training.

    Args:
        nearest: what `nearest_training` found.
        training: the same training images, (m, d), 2 or more.

    Raises:
        MetricError: a single training image, or not those of `nearest`.
    """
    training = as_rows("the training images", training)
    if len(training) < 2 or nearest.indices.max(initial=0) >= len(training):
        raise MetricError(
            f"authenticity was asked with {len(training):,} training images: give all those that "
            "nearest_training searched, 2 or more."
        )
    found, of = np.unique(nearest.indices, return_inverse=True)
    images = training[found]
    other = _neighbours(images, training, 2)[:, 1]  # the first is the image itself, or its equal
    return nearest.distances > _distances(images, training[other])[of]


def authenticity(nearest: Nearest, training: ArrayLike) -> float:
    """Return the share of samples that are `authentic`, 0 to 1."""
    return float(authentic(nearest, training).mean())


def _neighbours(of: Floats, among: Floats, k: int) -> NDArray[np.int64]:
    """Rows of the k nearest, nearest first, (n, k)."""
    search = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(among)
    return np.asarray(search.kneighbors(of.astype(among.dtype), return_distance=False))


def _distances(a: Floats, b: Floats) -> NDArray[np.float64]:
    """Between rows, from differences: those of the search are products, which round."""
    return np.asarray(np.linalg.norm(a.astype(np.float64) - b, axis=1))
