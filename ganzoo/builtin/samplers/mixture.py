"""Classes in chosen proportions."""

from __future__ import annotations

import math

import numpy as np

from ganzoo import Codes, Draw, Generator
from ganzoo.errors import SampleError


def mixture(model: Generator, draw: Draw, *, weights: dict[str, float]) -> Codes:
    """Draw the class of each image with given probabilities.

    Args:
        model: a generator with classes.
        draw: the images to sample, without a label.
        weights: names or numbers of classes and their weights, which need not sum to 1.
    """
    if "y" not in model.spec.inputs:
        raise SampleError(f"{model.spec.name!r} has no classes. Use another sampler.")
    total = sum(weights.values())
    if not all(weight >= 0 for weight in weights.values()) or not 0 < total < math.inf:
        raise SampleError(
            f"the weights are {weights}; each must be 0 or more, and one above 0. For example: "
            "--sampler mixture weights='{cat = 2, dog = 1}'."
        )
    classes = model.labels(len(weights), label=list(weights))
    assert classes is not None  # the model has classes
    ends = np.cumsum(list(weights.values())) / total
    chosen = np.searchsorted(ends, draw.uniform(1)[:, 0]).clip(max=len(ends) - 1)
    return Codes(draw.normal(model.latent_dim), classes[chosen])
