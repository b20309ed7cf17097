"""Pixels as features: for points and for very small pictures."""

from __future__ import annotations

import hashlib

from torch import Tensor

from ganzoo import Extractor
from ganzoo.nn import Extracted


class Pixels(Extractor):
    """An image's values in [-1, 1], one after the other."""

    def __init__(self) -> None:
        super().__init__(
            channels=None, size=None, dim=None, sha256=hashlib.sha256(b"pixels").hexdigest()
        )

    def forward(self, images: Tensor) -> Extracted:
        """Extract from uint8 images (n, channels, height, width)."""
        return Extracted(images.flatten(1).float() / 127.5 - 1, None)


def pixels() -> Pixels:
    """Return the extractor without a network.

    Two images are near each other in it where their pixels are: a picture moved by one pixel is
    far from itself. It is meant for the points of `ring` and for small pictures that all lie alike,
    such as `digits` and `tinyhero`.
    """
    return Pixels()
