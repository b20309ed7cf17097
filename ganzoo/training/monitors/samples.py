"""How images of the generator lie among real ones: the numbers that monitors of samples read."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from ganzoo import latents
from ganzoo.data import Items
from ganzoo.generator import COMPUTE_BATCH
from ganzoo.nn import generate, inputs_of
from ganzoo.training.preparation import Prepared
from ganzoo.training.reference import some_items

COUNT = 64  # images of either kind
SEED = 0  # of the latents
SIDE = 64  # pixels that images are averaged down to: what lies apart does so at any size

Features = Callable[[Tensor], Tensor]  # uint8 (n, channels, height, width) -> float (n, d)
Classes = Callable[[Tensor], Tensor]  # uint8 (n, channels, height, width) -> int64 (n,)


def pixels(images: Tensor) -> Tensor:
    """Return pixels as features, float32 (n, d)."""
    size = (min(images.shape[2], SIDE), min(images.shape[3], SIDE))
    return adaptive_avg_pool2d(images.to(torch.float32), size).flatten(1)


class Samples:
    """Compares a fixed batch of the averaged generator with as many real images.

    The averaged generator is the one that is sampled and exported. It runs in eval mode on latents
    of its own, so that neither weights nor statistics nor random numbers of the training change.

    Args:
        prepared: the training.
        features: in what images are compared; pixels by default.
        classes: tells the class of an image, where there is a classifier that fits.
    """

    def __init__(
        self, prepared: Prepared, features: Features = pixels, classes: Classes | None = None
    ) -> None:
        self.prepared = prepared
        self.features = features
        self.classes = classes

    @torch.no_grad()
    def measure(self) -> dict[str, Any]:
        """Return what can be said of the images that the generator makes now.

        - ``diversity``: mean distance between two of them over that between two real ones; where
          the generator is told a class, between two of the same class.
        - ``distance``: (2 E|x-y| - E|x-x'| - E|y-y'|) / 2 E|x-y| for generated x and real y, which
          is 0 where both have one distribution, and at most 1: the coefficient of inhomogeneity of
          "Energy statistics: A class of statistics based on distances" (Székely and Rizzo, 2013),
          https://doi.org/10.1016/j.jspi.2013.03.018.
        - ``classes`` and ``real_classes``: how many there are of each class among either.
        """
        made = self._make()
        x, y = self._compared(made), self._real_features
        within, between = _distances(x, x), _distances(y, x)
        real_within, pairs = _distances(y, y), self._pairs
        found: dict[str, Any] = {}
        if usual := float(real_within[pairs].sum()):
            found["diversity"] = float(within[pairs].sum()) / usual
        if apart := 2 * float(between.mean()):
            found["distance"] = 1 - (_mean_of_pairs(within) + _mean_of_pairs(real_within)) / apart
        if self.classes:
            counts = [torch.bincount(self.classes(images)) for images in (made, self._real.images)]
            found["classes"], found["real_classes"] = (count.tolist() for count in counts)
        return found

    @cached_property
    def _real(self) -> Items:
        return some_items(self.prepared.batches, COUNT)

    @cached_property
    def _real_features(self) -> Tensor:
        return self._compared(self._real.images)

    def _compared(self, images: Tensor) -> Tensor:
        parts = torch.split(images, COMPUTE_BATCH)
        return torch.cat([self.features(part).double().cpu() for part in parts])

    @cached_property
    def _pairs(self) -> Tensor:
        """Which pairs tell how much images differ, bool (n, n)."""
        labels = self._real.labels
        others = ~torch.eye(len(labels), dtype=torch.bool)
        alike = others & (labels[:, None] == labels[None])
        told = "y" in inputs_of(self.prepared.state.nets["generator"])
        return alike if told and bool(alike.any()) else others

    def _make(self) -> Tensor:
        """As many images as there are real ones, of their classes and from their conditions."""
        real, state = self._real, self.prepared.state
        given: dict[str, Tensor] = {"y": real.labels}
        if state.latent:
            z = latents.normal(SEED, len(real.images), state.latent.dim)
            given["z"] = torch.from_numpy(z)
        if real.conditions is not None:
            given["source"] = real.conditions.to(torch.float32) / 127.5 - 1.0
        parts = []
        for k in range(0, len(real.images), COMPUTE_BATCH):
            block = {name: x[k : k + COMPUTE_BATCH].to(state.device) for name, x in given.items()}
            images = generate(state.ema.networks["generator"], **block)
            levels = (images.float().cpu() + 1.0) * 127.5
            parts.append(levels.round().clamp(0, 255).to(torch.uint8))
        return torch.cat(parts)


def _distances(x: Tensor, y: Tensor) -> Tensor:
    # Not by products, which leave differences of equal images that are not 0.
    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")


def _mean_of_pairs(distances: Tensor) -> float:
    """The mean between two different ones, of a matrix that is 0 on its diagonal."""
    n = len(distances)
    return float(distances.sum()) / max(n * (n - 1), 1)
