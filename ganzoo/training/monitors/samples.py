"""How images of the generator lie among real ones: the numbers that monitors of samples read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from ganzoo.nn import generate, inputs_of
from ganzoo.sampling import latents
from ganzoo.sampling.generator import COMPUTE_BATCH
from ganzoo.training.preparation import Prepared
from ganzoo.training.real_images import some_items

COUNT = 64  # images of either kind
SEED = 0  # of the latents
SIDE = 64  # pixels that images are averaged down to: what lies apart does so at any size

Features = Callable[[Tensor], Tensor]  # uint8 (n, channels, height, width) -> float (n, d)
Classes = Callable[[Tensor], Tensor]  # uint8 (n, channels, height, width) -> int64 (n,)


def pixels(images: Tensor) -> Tensor:
    """Return pixels as features, float32 (n, d)."""
    size = (min(images.shape[2], SIDE), min(images.shape[3], SIDE))
    return adaptive_avg_pool2d(images.to(torch.float32), size).flatten(1)


class _Seen(NamedTuple):
    """Features of images, float64 (n, d), and how many there are of each class."""

    features: Tensor
    classes: list[int]


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
        self._inputs: dict[str, Tensor] = {}  # of the generator; none before it is first measured

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
        if not self._inputs:
            self._begin()
        real, made = self._real, self._look_at(self._make())
        apart, real_apart = _distances(made, made), _distances(real, real)
        between = _distances(made, real)
        found: dict[str, Any] = {}
        if usual := float(real_apart[self._pairs].sum()):
            found["diversity"] = float(apart[self._pairs].sum()) / usual
        if twice := 2 * float(between.mean()):
            found["distance"] = 1 - (_mean_of_pairs(apart) + _mean_of_pairs(real_apart)) / twice
        if self.classes:
            found |= {"classes": made.classes, "real_classes": real.classes}
        return found

    def _begin(self) -> None:
        """Look at real images, and choose what others are made of."""
        items, latent = some_items(self.prepared.batches, COUNT), self.prepared.state.latent
        labels, n = items.labels, len(items.labels)
        self._real = self._look_at(items.images)
        self._inputs = {"y": labels}
        if latent:
            self._inputs["z"] = torch.from_numpy(latents.normal(SEED, n, latent.dim))
        if items.conditions is not None:
            self._inputs["condition"] = items.conditions.to(torch.float32) / 127.5 - 1.0
        others = ~torch.eye(n, dtype=torch.bool)
        alike = others & (labels[:, None] == labels[None])
        told = "y" in inputs_of(self.prepared.state.nets["generator"])
        self._pairs = alike if told and bool(alike.any()) else others

    def _make(self) -> Tensor:
        """As many images as there are real ones, uint8."""
        state, parts = self.prepared.state, []
        for k in range(0, len(self._inputs["y"]), COMPUTE_BATCH):
            block = {name: x[k : k + COMPUTE_BATCH] for name, x in self._inputs.items()}
            given = {name: x.to(state.device) for name, x in block.items()}
            images = generate(state.ema.networks["generator"], **given)
            levels = (images.float().cpu() + 1.0) * 127.5
            parts.append(levels.round().clamp(0, 255).to(torch.uint8))
        return torch.cat(parts)

    def _look_at(self, images: Tensor) -> _Seen:
        parts = torch.split(images, COMPUTE_BATCH)
        features = torch.cat([self.features(part).double().cpu() for part in parts])
        counts = torch.bincount(self.classes(images)).tolist() if self.classes else []
        return _Seen(features, counts)


def _distances(a: _Seen, b: _Seen) -> Tensor:
    # Not by products, which leave differences of equal images that are not 0.
    return torch.cdist(a.features, b.features, compute_mode="donot_use_mm_for_euclid_dist")


def _mean_of_pairs(distances: Tensor) -> float:
    """The mean between two different ones, of a matrix that is 0 on its diagonal."""
    n = len(distances)
    return float(distances.sum()) / max(n * (n - 1), 1)
