"""Comparison of generated images with real ones: the numbers that monitors of samples read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from ganzoo.nn import generate, inputs_of
from ganzoo.sampling import latents
from ganzoo.sampling.images import to_pixels
from ganzoo.sampling.sizes import choose_compute_batch
from ganzoo.training.evaluation import some_items
from ganzoo.training.prepared import Prepared

COUNT = 64  # generated images, and real images
SEED = 0  # of the latents
SIDE = 64  # pixels; larger images are averaged down, which keeps large distances

Features = Callable[[Tensor], Tensor]  # uint8 (n, channels, height, width) -> float (n, d)
Classes = Callable[[Tensor], Tensor]  # uint8 (n, channels, height, width) -> int64 (n,)


def pixels(images: Tensor) -> Tensor:
    """Return pixels as features, float32 (n, d)."""
    size = (min(images.shape[2], SIDE), min(images.shape[3], SIDE))
    return adaptive_avg_pool2d(images.to(torch.float32), size).flatten(1)


class _Measured(NamedTuple):
    """Features of images, float64 (n, d), and the number of images of each class."""

    features: Tensor
    classes: list[int]


class Samples:
    """Compares a fixed batch of the averaged generator with as many real images.

    The averaged generator is the exported one. It runs in eval mode on separate latents, so that
    weights, statistics and random numbers of the training do not change.

    Args:
        prepared: the training.
        features: features by which images are compared; pixels by default.
        classes: classifies images; None if no classifier fits the data.
    """

    def __init__(
        self, prepared: Prepared, features: Features = pixels, classes: Classes | None = None
    ) -> None:
        self.prepared = prepared
        self.features = features
        self.classes = classes
        self._inputs: dict[str, Tensor] = {}  # of the generator; empty until the first measurement

    @torch.no_grad()
    def measure(self) -> dict[str, Any]:
        """Return measurements of the generator's current images.

        - ``diversity``: mean distance between two generated images, divided by that of two real
          images; for a generator with classes, between two images of the same class.
        - ``distance``: (2 E|x-y| - E|x-x'| - E|y-y'|) / 2 E|x-y| for generated x and real y, which
          is 0 if the distributions are equal, and at most 1: the coefficient of inhomogeneity of
          "Energy statistics: A class of statistics based on distances" (Székely and Rizzo, 2013),
          https://doi.org/10.1016/j.jspi.2013.03.018.
        - ``classes`` and ``real_classes``: number of generated and of real images of each class.

        Raises:
            NonFiniteLossError: a weight is NaN or infinite.
            SampleError: an output is, of finite weights.
        """
        self.prepared.state.check_finite()
        if not self._inputs:
            self._initialise()
        real, fake = self._real, self._measure(self._generate())
        fake_distances, real_distances = _distances(fake, fake), _distances(real, real)
        between = _distances(fake, real)
        result: dict[str, Any] = {}
        if usual := float(real_distances[self._pairs].sum()):
            result["diversity"] = float(fake_distances[self._pairs].sum()) / usual
        if twice := 2 * float(between.mean()):
            within = _mean_of_pairs(fake_distances) + _mean_of_pairs(real_distances)
            result["distance"] = 1 - within / twice
        if self.classes:
            result |= {"classes": fake.classes, "real_classes": real.classes}
        return result

    def _initialise(self) -> None:
        """Measure real images, and choose the inputs of the generator."""
        items, latent = some_items(self.prepared.batches, COUNT), self.prepared.state.latent
        labels, n = items.labels, len(items.labels)
        self._real = self._measure(items.images)
        self._inputs = {"y": labels}
        if latent:
            self._inputs["z"] = torch.from_numpy(latents.normal(SEED, n, latent.dim))
        if items.conditions is not None:
            self._inputs["condition"] = items.conditions.to(torch.float32) / 127.5 - 1.0
        distinct = ~torch.eye(n, dtype=torch.bool)
        same_class = distinct & (labels[:, None] == labels[None])
        conditional = "y" in inputs_of(self.prepared.state.nets["generator"])
        self._pairs = same_class if conditional and bool(same_class.any()) else distinct

    def _generate(self) -> Tensor:
        """Generate as many images as there are real ones, uint8."""
        state, parts = self.prepared.state, []
        batch = choose_compute_batch(self.prepared.data.image)
        for k in range(0, len(self._inputs["y"]), batch):
            block = {name: x[k : k + batch] for name, x in self._inputs.items()}
            inputs = {name: x.to(state.device) for name, x in block.items()}
            images = generate(state.ema.networks["generator"], **inputs)
            levels = to_pixels(images.float().cpu().numpy()).transpose(0, 3, 1, 2)
            parts.append(torch.from_numpy(np.ascontiguousarray(levels)))
        return torch.cat(parts)

    def _measure(self, images: Tensor) -> _Measured:
        parts = torch.split(images, choose_compute_batch(self.prepared.data.image))
        features = torch.cat([self.features(part).double().cpu() for part in parts])
        counts = torch.bincount(self.classes(images)).tolist() if self.classes else []
        return _Measured(features, counts)


def _distances(a: _Measured, b: _Measured) -> Tensor:
    # Without matrix products, which give equal images a distance above 0.
    return torch.cdist(a.features, b.features, compute_mode="donot_use_mm_for_euclid_dist")


def _mean_of_pairs(distances: Tensor) -> float:
    """Return the mean over pairs of different images; the diagonal of the matrix is 0."""
    n = len(distances)
    return float(distances.sum()) / max(n * (n - 1), 1)
