"""Fully connected networks."""

from __future__ import annotations

import itertools
import math

from torch import Tensor, nn

from ganzoo import DataSpec, ImageSpec
from ganzoo.errors import ArchitectureError
from ganzoo.nn import Conditioning, ConditioningHeads


def mlp(
    data: DataSpec,
    *,
    latent_dim: int = 100,
    width: int = 128,
    depth: int = 1,
    slope: float = 0.01,
    conditioning: Conditioning = "none",
    categorical_code: int = 0,
    continuous_codes: int = 0,
) -> dict[str, nn.Module]:
    """Multilayer perceptrons, for images of any size.

    "Generative Adversarial Nets" (Goodfellow et al., 2014), https://arxiv.org/abs/1406.2661.

    Args:
        data: the images.
        latent_dim: length of z.
        width: units of a hidden layer.
        depth: hidden layers in each network.
        slope: of LeakyReLU.
        conditioning: how labels enter: ``none``, ``concat``, ``projection`` or ``auxiliary``, as
            `ganzoo.nn.ConditioningHeads` says.
        categorical_code: values of a categorical code in z, for the loss infogan.
        continuous_codes: continuous codes in z, for the loss infogan.

    Returns:
        ``generator``: z (n, latent_dim), with conditioning also y (n,) -> images (n, channels,
        height, width) in [-1, 1].
        ``discriminator``: images, and y -> `ganzoo.nn.DiscriminatorOutput` with logits (n,).

    Raises:
        ArchitectureError: an argument below 1.
    """
    check("mlp", latent_dim, width, depth)
    conditions = ConditioningHeads(data, conditioning, categorical_code, continuous_codes)
    inputs = latent_dim + conditions.classes
    generator = Generator(data.image, inputs, width, depth, slope)
    trunk = make_trunk(data.image, conditions.extra_channels, width, depth, slope)
    return {
        "generator": conditions.generator(generator, latent_dim),
        "discriminator": conditions.discriminator(trunk, nn.Linear(width, 1), width),
    }


def check(name: str, latent_dim: int, width: int, depth: int) -> None:
    """Refuse what cannot be built.

    Raises:
        ArchitectureError: an argument below 1, or an absurd depth.
    """
    if min(latent_dim, width, depth) < 1 or depth > 64:
        raise ArchitectureError(
            f"architecture {name!r} cannot be built with latent_dim={latent_dim}, width={width}, "
            f"depth={depth}: all are at least 1, and depth is at most 64."
        )


def make_trunk(
    image: ImageSpec, extra_channels: int, width: int, depth: int, slope: float
) -> nn.Module:
    """Return a network: images -> features (n, width)."""
    inputs = (image.channels + extra_channels) * image.height * image.width
    return nn.Sequential(nn.Flatten(), *_hidden(inputs, width, depth, slope))


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
