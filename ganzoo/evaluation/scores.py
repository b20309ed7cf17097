"""Scores of generated images by a classifier, without real images."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike
from scipy.stats import sem
from torch_fidelity.metric_isc import KEY_METRIC_ISC_MEAN, isc_features_to_metric

from ganzoo.errors import MetricError, quantity
from ganzoo.evaluation.arrays import Floats, as_integers, as_rows
from ganzoo.evaluation.estimate import Estimate

LEAST_LOG_ODDS = -700.0  # of a class against the likeliest; exp is 0 in float64 below it


def inception_score(logits: ArrayLike, *, splits: int = 10, seed: int = 0) -> Estimate:
    """Return the exponential of the mean KL(classes of an image || classes of all images).

    "Improved Techniques for Training GANs" (Salimans et al., 2016), section 4,
    https://arxiv.org/abs/1606.03498, which uses the logits of Inception v3. The score is high if
    each image is classified with confidence and all classes occur. It reads no real images, and
    does not detect that all images of a class are equal.

    Args:
        logits: a classifier's logits for generated images (n, classes).
        splits: number of parts with separate scores, at least 2, of at least 2 images each.
        seed: seed of the random order of the images, at least 0.

    Returns:
        The mean over the parts, from 1 to the number of classes, and its standard error. Papers
        report the standard deviation over the parts with the divisor `splits`, as NumPy computes
        it by default: the error times sqrt(splits - 1).

    Raises:
        MetricError: there are too few images, or an argument is out of its range.
    """
    logits = as_rows("the logits", logits)
    splits, seed = as_integers(splits=splits, seed=seed)
    if splits < 2 or seed < 0 or len(logits) < 2 * splits:
        raise MetricError(
            f"the Inception score cannot be computed with {quantity(len(logits), 'image')}, "
            f"splits={splits} and seed={seed}. Use 2 or more splits, at least 2 images per split "
            "and a seed of 0 or more."
        )
    order = np.random.default_rng(seed).permutation(len(logits))
    scores = [_score(logits[part]) for part in np.array_split(order, splits)]
    return Estimate(float(np.mean(scores)), float(sem(scores)))


def _score(logits: Floats) -> float:
    """Return the score of one part."""
    # The shift does not change the probabilities. The limit avoids 0 * log(0).
    odds = np.maximum(logits - logits.max(1, keepdims=True).astype(np.float64), LEAST_LOG_ODDS)
    scores = isc_features_to_metric(torch.from_numpy(odds), splits=1, shuffle=False)
    return float(scores[KEY_METRIC_ISC_MEAN])
