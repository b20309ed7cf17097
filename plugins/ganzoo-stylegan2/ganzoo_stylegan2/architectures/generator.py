"""The generator: mapping, truncation and synthesis."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor, nn

from ganzoo_stylegan2.architectures.mapping import Mapping


class Synthesis(Protocol):
    """A network from one w per layer, (n, styles, style_dim), to images.

    Attributes:
        styles: number of w that it reads.
    """

    styles: int

    def __call__(self, styles: Tensor) -> Tensor:
        """Return images (n, channels, side, side)."""


class StyleGenerator(nn.Module):
    """The base class of the generators with and without labels.

    Args:
        mapping: z -> w.
        synthesis: one w per layer -> images.
        truncation: factor of the distance of w from the average w, in eval mode.
    """

    def __init__(self, mapping: Mapping, synthesis: Synthesis, truncation: float) -> None:
        super().__init__()
        self.mapping = mapping
        self.synthesis = synthesis
        self.truncation = truncation

    def render(self, w: Tensor) -> Tensor:
        """Return images for one w (n, style_dim) in all layers.

        In eval mode w is truncated ("A Style-Based Generator Architecture", Karras et al., 2019,
        appendix B, https://arxiv.org/abs/1812.04948), and images are clamped to [-1, 1].
        """
        if not self.training and self.truncation != 1:
            middle = self.mapping.average
            w = middle + self.truncation * (w - middle)
        images: Tensor = self.synthesis(w[:, None].expand(-1, self.synthesis.styles, -1))
        return images if self.training else images.clamp(-1, 1)


class Generator(StyleGenerator):
    """z (n, latent_dim) -> images (n, channels, side, side)."""

    def forward(self, z: Tensor) -> Tensor:
        """Return images."""
        return self.render(self.mapping(z))


class LabelledGenerator(StyleGenerator):
    """z (n, latent_dim) and classes y, int64 (n,) -> images (n, channels, side, side)."""

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        """Return images of those classes."""
        return self.render(self.mapping(z, y))
