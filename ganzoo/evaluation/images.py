"""The two sets of images that a metric compares."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ganzoo.evaluation.extraction import Features


@dataclass(frozen=True)
class ImageSet:
    """Images as metrics see them.

    Attributes:
        pixels: uint8 (n, channels, height, width).
        extracted: what the extractor said of them.
        labels: int64 (n,), of samples those that were asked for; None where there are none.
    """

    pixels: NDArray[np.uint8]
    extracted: Features
    labels: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def features(self) -> NDArray[np.float32]:
        """Float32 (n, dim)."""
        return self.extracted.features

    @property
    def logits(self) -> NDArray[np.float32]:
        """Float32 (n, classes); only where the extractor has classes."""
        assert self.extracted.logits is not None  # such metrics are not offered otherwise
        return self.extracted.logits


@dataclass(frozen=True)
class ImageSets:
    """Real images and generated ones.

    Attributes:
        real: all real images.
        fake: the samples.
        seed: of whatever a metric draws.
        classes: names of the classes that the extractor tells apart.
        labels: names of the classes of the real images.
    """

    real: ImageSet
    fake: ImageSet
    seed: int
    classes: tuple[str, ...]
    labels: tuple[str, ...]

    @functools.cached_property
    def drawn(self) -> NDArray[np.float32]:
        """Features of as many real images as there are samples, drawn without replacement."""
        order = np.random.default_rng(self.seed).permutation(len(self.real))
        return self.real.features[np.sort(order[: len(self.fake)])]
