"""Multilayer perceptrons."""

from __future__ import annotations

import itertools
import math
from typing import Literal

from torch import Tensor, nn

from ganzoo import DataSpec, ImageSpec
from ganzoo.errors import ArchitectureError
from ganzoo.nn import Conditioning, ConditioningHeads

WIDEST = 65_536  # maximum units of a hidden layer of the generator


def mlp(
    data: DataSpec,
    *,
    latent_dim: int = 100,
    width: int = 128,
    depth: int = 1,
    growth: int = 1,
    slope: float = 0.01,
    generator_norm: Literal["none", "batch"] = "none",
    norm_eps: float = 1e-5,
    conditioning: Conditioning = "none",
    categorical_code: int = 0,
    continuous_codes: int = 0,
) -> dict[str, nn.Module]:
    """Multilayer perceptrons, for images of any size.

    "Generative Adversarial Nets" (Goodfellow et al., 2014), https://arxiv.org/abs/1406.2661.

    Args:
        data: spec of the images.
        latent_dim: length of z.
        width: units of each hidden layer.
        depth: number of hidden layers in each network, 1 to 64.
        growth: factor by which each hidden layer of the generator is wider than the one before.
        slope: negative slope of LeakyReLU.
        generator_norm: ``none``, or ``batch`` for BatchNorm in all hidden layers of the generator
            except the first.
        norm_eps: number that BatchNorm adds to a variance.
        conditioning: how the networks use labels: ``none``, ``concat``, ``projection`` or
            ``auxiliary``, see `ganzoo.nn.ConditioningHeads`.
        categorical_code: number of values of a categorical code in z, for the loss infogan.
        continuous_codes: number of continuous codes in z, for the loss infogan.

    Returns:
        ``generator``: z (n, latent_dim), with conditioning also y (n,) -> images (n, channels,
        height, width) in [-1, 1].
        ``discriminator``: images, with conditioning also y -> `ganzoo.nn.DiscriminatorOutput` with
        logits (n,).

    Raises:
        ArchitectureError: an argument is out of range.
    """
    check("mlp", latent_dim, width, depth)
    if growth < 1 or width * growth ** (depth - 1) > max(width, WIDEST) or not norm_eps > 0:
        raise ArchitectureError(
            f"architecture 'mlp' cannot be built with width={width}, depth={depth}, "
            f"growth={growth}, norm_eps={norm_eps}. Set growth to 1 or more, norm_eps above 0, and "
            f"the last hidden layer, width * growth**(depth - 1), to at most {WIDEST:,} units."
        )
    heads = ConditioningHeads(data, conditioning, categorical_code, continuous_codes)
    inputs = latent_dim + heads.classes
    generator = Generator(
        data.image,
        inputs,
        [width * growth**layer for layer in range(depth)],
        slope,
        norm_eps=norm_eps if generator_norm == "batch" else None,
    )
    trunk = make_trunk(data.image, heads.extra_channels, width, depth, slope)
    return {
        "generator": heads.generator(generator, latent_dim),
        "discriminator": heads.discriminator(trunk, nn.Linear(width, 1), width),
    }


def check(name: str, latent_dim: int, width: int, depth: int) -> None:
    """Raise an error if an architecture cannot be built.

    Raises:
        ArchitectureError: an argument is below 1, or the depth is above 64.
    """
    if min(latent_dim, width, depth) < 1 or depth > 64:
        raise ArchitectureError(
            f"architecture {name!r} cannot be built with latent_dim={latent_dim}, width={width}, "
            f"depth={depth}. Set all to 1 or more, and depth to at most 64."
        )


def make_trunk(
    image: ImageSpec, extra_channels: int, width: int, depth: int, slope: float
) -> nn.Module:
    """Return the hidden layers of a discriminator or encoder: images -> features (n, width)."""
    inputs = (image.channels + extra_channels) * image.height * image.width
    return nn.Sequential(nn.Flatten(), *_hidden([inputs] + [width] * depth, slope))


def _hidden(sizes: list[int], slope: float, norm_eps: float | None = None) -> list[nn.Module]:
    """Return the hidden layers between these numbers of units, with BatchNorm from the second."""
    layers: list[nn.Module] = []
    for below, above in itertools.pairwise(sizes):
        if layers and norm_eps is not None:  # a bias before BatchNorm has no effect
            norm = nn.BatchNorm1d(above, eps=norm_eps)
            layers += [nn.Linear(below, above, bias=False), norm]
        else:
            layers.append(nn.Linear(below, above))
        layers.append(nn.LeakyReLU(slope))
    return layers


class Generator(nn.Module):
    """A multilayer perceptron: z -> images.

    Args:
        image: spec of the images.
        latent_dim: length of z.
        widths: units of the hidden layers.
        slope: negative slope of LeakyReLU.
        norm_eps: number that BatchNorm adds to a variance; None without BatchNorm.
    """

    def __init__(
        self,
        image: ImageSpec,
        latent_dim: int,
        widths: list[int],
        slope: float,
        *,
        norm_eps: float | None = None,
    ) -> None:
        super().__init__()
        self.shape = image.shape
        self.layers = nn.Sequential(
            *_hidden([latent_dim, *widths], slope, norm_eps),
            nn.Linear(widths[-1], math.prod(image.shape)),
            nn.Tanh(),
        )

    def forward(self, z: Tensor, logits: bool = False) -> Tensor:
        """Return images x (n, channels, height, width) in [-1, 1], or l with x = tanh(l / 2)."""
        images: Tensor = 2 * self.layers[:-1](z) if logits else self.layers(z)
        return images.reshape(-1, *self.shape)
