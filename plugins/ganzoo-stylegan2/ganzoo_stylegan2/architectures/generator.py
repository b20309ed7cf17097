"""The generators with and without labels."""

from __future__ import annotations

from torch import Tensor

from ganzoo.nn import StyleGenerator


class Generator(StyleGenerator):
    """z (n, latent_dim) -> images (n, channels, height, width)."""

    def forward(self, z: Tensor) -> Tensor:
        """Return images."""
        return self.render(self.mapping(z))


class LabelledGenerator(StyleGenerator):
    """z (n, latent_dim) and classes y, int64 (n,) -> images (n, channels, height, width)."""

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        """Return images of those classes."""
        return self.render(self.mapping(z, y))
