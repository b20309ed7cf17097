"""Scores that a classifier gives to generated images alone."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike
from scipy.stats import sem
from torch_fidelity.metric_isc import KEY_METRIC_ISC_MEAN, isc_features_to_metric

from ganzoo.errors import MetricError
from ganzoo.evaluation.arrays import Floats, as_rows
from ganzoo.evaluation.estimate import Estimate

LEAST_LOG_ODDS = -700.0  # of a class against the likeliest; the exp of less is 0 in float64


def inception_score(logits: ArrayLike, *, splits: int = 10, seed: int = 0) -> Estimate:
    """Exponential of the mean KL divergence of an image's classes from all images' classes.

    "Improved Techniques for Training GANs" (Salimans et al., 2016), section 4,
    https://arxiv.org/abs/1606.03498; with the logits of Inception v3 it is the paper's own. High
    where each image is surely of one class, and all classes are there. It sees no real image, nor
    whether the images of a class are all the same.

    Args:
        logits: of a classifier for generated images, (n, classes).
        splits: parts that are scored each by itself, 2 or more; of 2 images or more each.
        seed: of the order in which images go into the parts, at least 0.

    Returns:
        The mean over the parts, from 1 to the number of classes, and its standard error. Papers
        print the parts' standard deviation, which is the error times sqrt(splits).

    Raises:
        MetricError: too few images, or an argument out of its range.
    """
    logits = as_rows("the logits", logits)
    if splits < 2 or seed < 0 or len(logits) < 2 * splits:
        raise MetricError(
            f"the Inception score was asked with {len(logits):,} images, splits={splits} and "
            f"seed={seed}: it needs 2 or more splits, {2 * splits} or more images for as many, "
            "and a seed of 0 or more."
        )
    order = np.random.default_rng(seed).permutation(len(logits))
    scores = [_score(logits[part]) for part in np.array_split(order, splits)]
    return Estimate(float(np.mean(scores)), float(sem(scores)))


def _score(logits: Floats) -> float:
    """The score of one part."""
    # The shift changes no probability. One of 0 would be multiplied by its infinite log.
    odds = np.maximum(logits - logits.max(1, keepdims=True).astype(np.float64), LEAST_LOG_ODDS)
    found = isc_features_to_metric(torch.from_numpy(odds), splits=1, shuffle=False)
    return float(found[KEY_METRIC_ISC_MEAN])
