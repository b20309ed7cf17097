"""Fully connected networks."""

from __future__ import annotations

import itertools
import math

from torch import Tensor, nn

from ganzoo import DataSpec, ImageSpec
from ganzoo.errors import ArchitectureError


def mlp(
    data: DataSpec, *, latent_dim: int = 100, width: int = 128, depth: int = 1, slope: float = 0.01
) -> dict[str, nn.Module]:
    """Multilayer perceptrons, for images of any size.

    "Generative Adversarial Nets" (Goodfellow et al., 2014), https://arxiv.org/abs/1406.2661.

    Args:
        data: the images.
        latent_dim: length of z.
        width: units of a hidden layer.
        depth: hidden layers in each network.
        slope: of LeakyReLU.

    Returns:
        ``generator``: z (n, latent_dim) -> images (n, channels, height, width) in [-1, 1].
        ``discriminator``: images -> logits (n,).

    Raises:
        ArchitectureError: an argument below 1.
    """
    if min(latent_dim, width, depth) < 1 or depth > 64:
        raise ArchitectureError(
            f"architecture 'mlp' cannot be built with latent_dim={latent_dim}, width={width}, "
            f"depth={depth}: all are at least 1, and depth is at most 64."
        )
    return {
        "generator": Generator(data.image, latent_dim, width, depth, slope),
        "discriminator": Discriminator(data.image, width, depth, slope),
    }


def _hidden(inputs: int, width: int, depth: int, slope: float) -> list[nn.Module]:
    sizes = itertools.pairwise([inputs] + [width] * depth)
    return [layer for a, b in sizes for layer in (nn.Linear(a, b), nn.LeakyReLU(slope))]


class Generator(nn.Module):
    """z -> images."""

    def __init__(
        self, image: ImageSpec, latent_dim: int, width: int, depth: int, slope: float
    ) -> None:
        super().__init__()
        self.shape = image.shape
        self.layers = nn.Sequential(
            *_hidden(latent_dim, width, depth, slope),
            nn.Linear(width, math.prod(image.shape)),
            nn.Tanh(),
        )

    def forward(self, z: Tensor) -> Tensor:
        """Return images (n, channels, height, width) in [-1, 1]."""
        images: Tensor = self.layers(z)
        return images.reshape(-1, *self.shape)


class Discriminator(nn.Module):
    """images -> logits."""

    def __init__(self, image: ImageSpec, width: int, depth: int, slope: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(), *_hidden(math.prod(image.shape), width, depth, slope), nn.Linear(width, 1)
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (n,)."""
        logits: Tensor = self.layers(images)
        return logits.squeeze(1)
