"""The whole generator: mapping, truncation, synthesis."""

from __future__ import annotations

from torch import Tensor, nn

from ganzoo_stylegan2.architectures.mapping import Mapping
from ganzoo_stylegan2.architectures.synthesis import Synthesis


class StyleGenerator(nn.Module):
    """What both generators share.

    Args:
        mapping: z -> w.
        synthesis: a w for every layer -> images.
        truncation: share of a w's distance from the average w that is kept after training.
    """

    def __init__(self, mapping: Mapping, synthesis: Synthesis, truncation: float) -> None:
        super().__init__()
        self.mapping = mapping
        self.synthesis = synthesis
        self.truncation = truncation

    def render(self, w: Tensor) -> Tensor:
        """Return what all layers make of one w, (n, style_dim).

        After training w is truncated ("A Style-Based Generator Architecture", Karras et al., 2019,
        appendix B, https://arxiv.org/abs/1812.04948), and images, which nothing else bounds, are
        cut off at -1 and 1.
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
    """z (n, latent_dim) and classes' numbers y, int64 (n,) -> images."""

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        """Return images of those classes."""
        return self.render(self.mapping(z, y))
