"""Generators of two networks: mapping, z -> w, and synthesis, w -> images.

"A Style-Based Generator Architecture for Generative Adversarial Networks" (Karras et al., 2019),
https://arxiv.org/abs/1812.04948.
"""

from __future__ import annotations

from typing import Protocol

from torch import Tensor, nn

from ganzoo.spec import StyleSpec


class MappingNetwork(Protocol):
    """z (n, latent_dim), and y (n,) if the generator reads labels -> w (n, dim).

    Attributes:
        average: the average of w, a persistent buffer (dim,).
    """

    average: Tensor

    def __call__(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """Return w."""


class SynthesisNetwork(Protocol):
    """One w per layer, (n, layers, dim) -> images (n, channels, height, width).

    Attributes:
        style_count: number of w that it reads.
    """

    style_count: int

    def __call__(self, styles: Tensor) -> Tensor:
        """Return images."""


class StyleGenerator(nn.Module):
    """The base class of generators with a mapping network.

    Export writes both networks into one ONNX file, so that both runtimes can truncate, mix and
    move w. A subclass adds `forward`, which returns ``self.render(self.mapping(z))`` or
    ``self.render(self.mapping(z, y))``.

    Args:
        mapping: z -> w.
        synthesis: one w per layer -> images.
        truncation: factor of the distance of w from the average w, in eval mode.
    """

    def __init__(
        self, mapping: MappingNetwork, synthesis: SynthesisNetwork, truncation: float = 1.0
    ) -> None:
        super().__init__()
        self.mapping = mapping
        self.synthesis = synthesis
        self.truncation = truncation

    def to_styles(self, w: Tensor) -> Tensor:
        """Return one w per layer, (n, layers, dim), for w (n, dim); truncated in eval mode.

        The truncation is that of Karras et al., 2019, appendix B.
        """
        if not self.training and self.truncation != 1:
            middle = self.mapping.average
            w = middle + self.truncation * (w - middle)
        return w[:, None].expand(-1, self.synthesis.style_count, -1)

    def synthesize(self, styles: Tensor) -> Tensor:
        """Return images for one w per layer, clamped to [-1, 1] in eval mode."""
        images: Tensor = self.synthesis(styles)
        return images if self.training else images.clamp(-1, 1)

    def render(self, w: Tensor) -> Tensor:
        """Return images for one w (n, dim) in all layers."""
        return self.synthesize(self.to_styles(w))


def style_spec_of(generator: nn.Module) -> StyleSpec | None:
    """Return the numbers of a generator's w; None if it has no mapping network."""
    if not isinstance(generator, StyleGenerator):
        return None
    dim = len(generator.mapping.average)
    return StyleSpec(dim, generator.synthesis.style_count, generator.truncation)
