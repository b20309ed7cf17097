"""The two sets of images that a metric compares."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ganzoo.evaluation.extraction import Features


@dataclass(frozen=True)
class ImageSet:
    """Images, their features and their labels.

    Attributes:
        pixels: uint8 (n, channels, height, width).
        extracted: output of the extractor; None for pairs, which have no extractor.
        labels: classes of real images, or the conditions of samples in the numbers of these
            classes, int64 (n,); None without classes, or if the real images lack a class of the
            model.
    """

    pixels: NDArray[np.uint8]
    extracted: Features | None
    labels: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def rows(self) -> NDArray[np.float32]:
        """Pixels in [0, 1], one row per image, float32 (n, channels * height * width)."""
        return self.pixels.reshape(len(self), -1).astype(np.float32) / np.float32(255)

    @property
    def features(self) -> NDArray[np.float32]:
        """Features, float32 (n, dim), for metrics that need ``features``."""
        if self.extracted is None:
            raise ValueError("pairs have no features: a metric that needs 'pairs' cannot read them")
        return self.extracted.features

    @property
    def logits(self) -> NDArray[np.float32]:
        """Logits, float32 (n, classes), for metrics that need ``logits``."""
        if self.extracted is None or self.extracted.logits is None:
            raise ValueError("the extractor has no logits: declare needs=('logits',)")
        return self.extracted.logits


@dataclass(frozen=True)
class ImageSets:
    """A set of real images and a set of generated images.

    Attributes:
        real: all real images; for a metric that needs ``pairs``, image k is the target of image k
            of `fake`.
        fake: the generated images.
        seed: seed of random choices in a metric.
        classes: names of the classes of the extractor.
        labels: names of the classes of the real images.
        conditions: for a metric that needs ``pairs``, the images that those of `fake` are
            translations of; their size may differ.
    """

    real: ImageSet
    fake: ImageSet
    seed: int = 0
    classes: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    conditions: ImageSet | None = None

    @functools.cached_property
    def drawn(self) -> NDArray[np.float32]:
        """Features of a random subset of the real images, as many as there are samples."""
        return self.real.features[random_rows(len(self.real), len(self.fake), self.seed)]


def random_rows(length: int, n: int, seed: int) -> NDArray[np.int64]:
    """Return `n` random rows of `length`, sorted, or all if there are fewer."""
    return np.sort(np.random.default_rng(seed).permutation(length)[:n])
