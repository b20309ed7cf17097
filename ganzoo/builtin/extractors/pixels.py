"""Pixels as features, for points and very small images."""

from __future__ import annotations

import hashlib

from torch import Tensor

from ganzoo import Extractor
from ganzoo.nn import Extracted


class Pixels(Extractor):
    """An extractor whose features are the pixels of an image, in [-1, 1]."""

    def __init__(self) -> None:
        super().__init__(
            channels=None, size=None, dim=None, sha256=hashlib.sha256(b"pixels").hexdigest()
        )

    def forward(self, images: Tensor) -> Extracted:
        """Return the pixels of uint8 images (n, channels, height, width) as features."""
        return Extracted(images.flatten(1).float() / 127.5 - 1, None)


def pixels() -> Pixels:
    """Return the extractor that uses pixels as features.

    Its distances are not invariant to shifts: an image and its copy, shifted by one pixel, are far
    apart. Use it for the points of `ring` and for small aligned images, such as those of `digits`
    and `tinyhero`.
    """
    return Pixels()
