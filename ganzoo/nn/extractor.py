"""Networks by whose features sets of images are compared."""

from __future__ import annotations

from abc import abstractmethod
from typing import NamedTuple

from torch import Tensor, nn


class Extracted(NamedTuple):
    """What an extractor says of images.

    Attributes:
        features: float32 (n, `Extractor.dim`).
        logits: of its classes, float32 (n, classes), or None where it has none.
    """

    features: Tensor
    logits: Tensor | None


class Extractor(nn.Module):
    """A fixed network that turns images into features, and into logits where it has classes.

    A figure that is computed with it is comparable with others of the same extractor only, so its
    name is a contract: other weights are another version, such as ``lenet-mnist@2``.

    Args:
        channels: of the images it reads, 1 or 3, or None for any number.
        size: their height and width, or None where it reads any, or resizes images by itself.
        dim: length of the features, or None where it follows from the images.
        classes: names of what its logits tell apart; none where it has no logits.
        sha256: of its weights.
        resizing: how it resizes images, in a few words, for the protocol of a figure.
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
        """Extract from uint8 images (n, channels, height, width)."""
