"""Base class of feature extractors, which metrics use to compare sets of images."""

from __future__ import annotations

from abc import abstractmethod
from typing import NamedTuple

from torch import Tensor, nn


class Extracted(NamedTuple):
    """The output of an extractor.

    Attributes:
        features: float32 (n, `Extractor.dim`).
        logits: float32 (n, classes), or None if the extractor has no classes.
    """

    features: Tensor
    logits: Tensor | None


class Extractor(nn.Module):
    """A fixed network that turns images into features and, if it has classes, into logits.

    Metrics are comparable only if they use the same extractor. So new weights need a new name, such
    as ``lenet-mnist@2``.

    Args:
        channels: number of channels of its input, 1 or 3, or None for any number.
        size: height and width of its input, or None if it accepts or resizes any size.
        dim: length of the features, or None if it depends on the image size.
        classes: names of the classes of its logits, empty without logits.
        sha256: SHA-256 of its weights.
        resizing: short description of how it resizes images, for the protocol of a metric.
    """

    def __init__(
        self,
        *,
        channels: int | None,
        size: tuple[int, int] | None,
        dim: int | None,
        classes: tuple[str, ...] = (),
        sha256: str,
        resizing: str = "none",
    ) -> None:
        super().__init__()
        self.channels = channels
        self.size = size
        self.dim = dim
        self.classes = classes
        self.sha256 = sha256
        self.resizing = resizing

    @abstractmethod
    def forward(self, images: Tensor) -> Extracted:
        """Return the features and logits of uint8 images (n, channels, height, width)."""
