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
    """Images as metrics see them.

    Attributes:
        pixels: uint8 (n, channels, height, width).
        extracted: the extractor's output; None for pairs, which have no extractor.
        labels: int64 (n,), of samples those that they were made for; None where there are none.
    """

    pixels: NDArray[np.uint8]
    extracted: Features | None
    labels: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def rows(self) -> NDArray[np.float32]:
        """One row of pixels in [0, 1] for each image, float32 (n, channels * height * width)."""
        return self.pixels.reshape(len(self), -1).astype(np.float32) / np.float32(255)

    @property
    def features(self) -> NDArray[np.float32]:
        """Float32 (n, dim), for metrics that need ``features``."""
        if self.extracted is None:
            raise ValueError("pairs have no features: the metric cannot need both")
        return self.extracted.features

    @property
    def logits(self) -> NDArray[np.float32]:
        """Float32 (n, classes), for metrics that need ``logits``."""
        if self.extracted is None or self.extracted.logits is None:
            raise ValueError("there are no logits: declare needs=('logits',)")
        return self.extracted.logits


@dataclass(frozen=True)
class ImageSets:
    """Real images and generated ones.

    Attributes:
        real: all real images; for a metric that needs ``pairs``, image k is the target of image k
            of `fake`.
        fake: the generated images.
        seed: of random choices of a metric.
        classes: names of the classes that the extractor tells apart.
        labels: names of the classes of the real images.
    """

    real: ImageSet
    fake: ImageSet
    seed: int = 0
    classes: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    @functools.cached_property
    def drawn(self) -> NDArray[np.float32]:
        """Features of as many real images as there are samples, drawn without replacement."""
        order = np.random.default_rng(self.seed).permutation(len(self.real))
        return self.real.features[np.sort(order[: len(self.fake)])]
