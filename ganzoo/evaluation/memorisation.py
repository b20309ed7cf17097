"""Detect copies: the nearest training image of each sample, and its distance."""

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
        indices: row of the nearest training image, int64 (n,); any one of equally near images.
        distances: Euclidean distances, float64 (n,); exactly 0 for a copy.
    """

    indices: NDArray[np.int64]
    distances: NDArray[np.float64]


def nearest_training(samples: ArrayLike, training: ArrayLike) -> Nearest:
    """Return the nearest training image of each sample, by pixels or by features.

    Args:
        samples: flattened pixels in any unit, or features, of generated images (n, d).
        training: the same of all training images (m, d).

    Raises:
        MetricError: an array is not a matrix of finite numbers, or the dimensions differ.
    """
    samples, training = as_row_pair("the samples", samples, "the training images", training)
    indices = _neighbours(samples, training, 1)[:, 0]
    return Nearest(indices, _distances(samples, training[indices]))


def authentic(nearest: Nearest, training: ArrayLike) -> NDArray[np.bool_]:
    """Return whether each sample is authentic, bool (n,).

    A sample is authentic if it is farther from its nearest training image than that training image
    is from its nearest neighbour in the training set: "How Faithful is your Synthetic Data?
    Sample-level Metrics for Evaluating and Auditing Generative Models" (Alaa et al., 2022),
    https://arxiv.org/abs/2102.08921.

    A sample that is not authentic is not necessarily a copy. Real images that the training set
    lacks are often not authentic either: 2 in 3 of points on a line, 1 in 3 of MNIST's test digits
    by their pixels. Compare the share with the share of as many held-out real images.

    Args:
        nearest: output of `nearest_training`.
        training: the same training images (m, d), at least 2.

    Raises:
        MetricError: there is only one training image, or `nearest` belongs to another training set.
    """
    training = as_rows("the training images", training)
    if len(training) < 2 or nearest.indices.max(initial=0) >= len(training):
        raise MetricError(
            f"authenticity cannot be computed with {len(training):,} training images. Pass all "
            "training images that nearest_training searched, 2 or more."
        )
    rows, inverse = np.unique(nearest.indices, return_inverse=True)
    images = training[rows]
    # The first neighbour is the image itself, or an equal one.
    second = _neighbours(images, training, 2)[:, 1]
    return nearest.distances > _distances(images, training[second])[inverse]


def authenticity(nearest: Nearest, training: ArrayLike) -> float:
    """Return the share of authentic samples, 0 to 1. See `authentic`."""
    return float(authentic(nearest, training).mean())


def _neighbours(queries: Floats, points: Floats, k: int) -> NDArray[np.int64]:
    """Return the rows of the k nearest points of each query, nearest first, (n, k)."""
    # The search computes distances from products, whose rounding errors grow with the mean.
    centre = points.mean(0, dtype=np.float64).astype(points.dtype)
    search = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(points - centre)
    centred = queries.astype(points.dtype) - centre
    return np.asarray(search.kneighbors(centred, return_distance=False))


def _distances(a: Floats, b: Floats) -> NDArray[np.float64]:
    """Return the distances between rows, from differences: the search computes with products,
    which have a larger rounding error.
    """
    return np.asarray(np.linalg.norm(a.astype(np.float64) - b, axis=1))
