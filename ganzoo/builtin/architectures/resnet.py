"""SNGAN: residual networks.

"Spectral Normalization for Generative Adversarial Networks" (Miyato et al., 2018), appendix B.4,
https://arxiv.org/abs/1802.05957.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar, Literal

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, relu

from ganzoo import DataSpec
from ganzoo.errors import ArchitectureError
from ganzoo.nn import (
    Conditioning,
    ConditioningHeads,
    UpsampleConv2d,
    add_spectral_norm,
    map_sizes,
)

DISCRIMINATOR_SIDE = 8  # maximum of the shorter side of the discriminator's last map
LARGEST = 256
BLOCKS_BELOW = 2  # discriminator blocks at that side

Upsampling = Literal["nearest", "bilinear"]


def resnet(
    data: DataSpec,
    *,
    latent_dim: int = 128,
    width: int = 128,
    generator_widths: tuple[int, ...] = (),
    upsampling: Upsampling = "nearest",
    spectral_norm: bool = True,
    conditioning: Conditioning = "none",
    categorical_code: int = 0,
    continuous_codes: int = 0,
) -> dict[str, nn.Module]:
    """ResNets of SNGAN (Miyato et al., 2018), https://arxiv.org/abs/1802.05957, table 4.

    Args:
        data: spec of the images, any number of channels. The shorter side is 4, 5, 6 or 7 times a
            power of two, such as 28, 32, 48 or 64, and the longer one is a multiple of this power,
            such as 48x64; 8 to 256 pixels.
        latent_dim: length of z.
        width: channels of all maps of the discriminator; the generator's have twice as many.
        generator_widths: channels of the generator's maps by size, from the smallest, in place of
            those that follow from `width`.
        upsampling: enlargement in the generator: ``nearest``, or ``bilinear``.
        spectral_norm: divide the discriminator's weights by their largest singular value.
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
        ArchitectureError: the image size is not supported, an argument is below 1, or
            `generator_widths` has another number of sides.
    """
    image = data.image
    sizes = map_sizes("resnet", image, LARGEST)
    sides = tuple(map(min, sizes))
    if min(latent_dim, width) < 1:
        raise ArchitectureError(
            f"architecture 'resnet' cannot be built with latent_dim={latent_dim}, width={width}. "
            "Set both to 1 or more."
        )
    if generator_widths and (len(generator_widths) != len(sides) or min(generator_widths) < 1):
        raise ArchitectureError(
            f"architecture 'resnet' cannot be built with generator_widths={generator_widths}: it "
            f"needs a number of at least 1 for each of the sides {', '.join(map(str, sides))}. Use "
            f"--architecture.generator-widths {' '.join('N' * len(sides))}, or leave it out."
        )
    heads = ConditioningHeads(data, conditioning, categorical_code, continuous_codes)
    inputs = latent_dim + heads.classes
    widths = generator_widths or (2 * width,) * len(sides)
    generator = Generator(inputs, image.channels, widths, sizes[0], upsampling)
    trunk = Trunk(image.channels + heads.extra_channels, width, sides[-1])
    discriminator = _initialise(heads.discriminator(trunk, SumPooled(width), width))
    return {
        "generator": _initialise(heads.generator(generator, latent_dim)),
        "discriminator": add_spectral_norm(discriminator) if spectral_norm else discriminator,
    }


def _initialise(network: nn.Module) -> nn.Module:
    """Initialise weights as the paper's authors do, and return the network.

    Weights are uniform as in "Understanding the difficulty of training deep feedforward neural
    networks" (Glorot and Bengio, 2010), equation 16, times sqrt(2) inside residual blocks, and
    biases are 0. An embedding of classes is a linear map of one-hot labels.
    """
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d | nn.Linear | nn.Embedding):
            inside = name.endswith((".convolution1", ".convolution2"))
            nn.init.xavier_uniform_(module.weight, math.sqrt(2) if inside else 1.0)
            if isinstance(bias := getattr(module, "bias", None), Tensor):
                nn.init.zeros_(bias)
    return network


class BilinearConv2d(nn.Conv2d):
    """Bilinear upsampling by 2, then a convolution."""

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, outputs, 2 side, 2 side) for an input (n, inputs, side, side)."""
        return super().forward(interpolate(x, scale_factor=2.0, mode="bilinear"))


class UpBlock(nn.Module):
    """Residual block of the generator, which doubles the side.

    BatchNorm, ReLU, upsampling, convolution; BatchNorm, ReLU, convolution; plus the upsampled
    input.
    """

    def __init__(self, inputs: int, outputs: int, upsampling: Upsampling) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.BatchNorm2d(inputs), nn.BatchNorm2d(outputs)
        self.upsampling = upsampling
        # No bias: the normalisation would remove it.
        if upsampling == "nearest":
            self.convolution1: nn.Module = UpsampleConv2d(inputs, outputs, bias=False)
        else:
            self.convolution1 = BilinearConv2d(inputs, outputs, 3, padding=1, bias=False)
        self.convolution2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.shortcut = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, outputs, 2 side, 2 side) for an input (n, inputs, side, side)."""
        h = self.convolution1(relu(self.norm1(x)))
        h = self.convolution2(relu(self.norm2(h)))
        # A 1x1 convolution and an upsampling commute; convolving the smaller map is cheaper.
        result: Tensor = h + interpolate(self.shortcut(x), scale_factor=2.0, mode=self.upsampling)
        return result


class DownBlock(nn.Module):
    """Residual block of the discriminator, which can halve the side.

    ReLU, convolution; ReLU, convolution; plus the input; then average pooling if `halve` is set.
    """

    def __init__(self, inputs: int, width: int, *, halve: bool, first: bool = False) -> None:
        super().__init__()
        self.convolution1 = nn.Conv2d(inputs, width, 3, padding=1)
        self.convolution2 = nn.Conv2d(width, width, 3, padding=1)
        self.shortcut = nn.Conv2d(inputs, width, 1) if halve else nn.Identity()
        self.halve = halve
        self.first = first  # no ReLU before the first convolution: it would clip the image

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, width, side, side), or half the side, for an input (n, inputs, side, side)."""
        h = self.convolution1(x if self.first else relu(x))
        result: Tensor = self.convolution2(relu(h)) + self.shortcut(x)
        return avg_pool2d(result, 2) if self.halve else result


class Generator(nn.Module):
    """SNGAN's generator: z -> images. `base` is height and width of the smallest map."""

    aligned_at: ClassVar = {"blocks": "start", "norm": "same", "last": "same"}  # by side of maps

    def __init__(
        self,
        latent_dim: int,
        channels: int,
        widths: Sequence[int],
        base: tuple[int, int],
        upsampling: Upsampling,
    ) -> None:
        super().__init__()
        self.base = base
        self.first = nn.Linear(latent_dim, widths[0] * math.prod(base))
        self.blocks = nn.Sequential(*(UpBlock(*pair, upsampling) for pair in pairwise(widths)))
        self.norm = nn.BatchNorm2d(widths[-1])
        self.last = nn.Conv2d(widths[-1], channels, 3, padding=1)

    def forward(self, z: Tensor) -> Tensor:
        """Return images (n, channels, height, width) in [-1, 1]."""
        h = self.first(z).unflatten(1, (-1, *self.base))
        images: Tensor = self.last(relu(self.norm(self.blocks(h)))).tanh()
        return images


class Trunk(nn.Module):
    """The residual blocks of SNGAN's discriminator: images -> a map (n, width, rows, columns).

    `side` is the shorter side of the images.
    """

    aligned_at: ClassVar = {"blocks": "end"}  # by side of maps

    def __init__(self, channels: int, width: int, side: int) -> None:
        super().__init__()
        blocks = [DownBlock(channels, width, halve=True, first=True)]
        side //= 2
        while side > DISCRIMINATOR_SIDE:
            blocks.append(DownBlock(width, width, halve=True))
            side //= 2
        blocks += [DownBlock(width, width, halve=False) for _ in range(BLOCKS_BELOW)]
        self.blocks = nn.Sequential(*blocks)

    def forward(self, images: Tensor) -> Tensor:
        """Return the last map."""
        return relu(self.blocks(images))


class SumPooled(nn.Module):
    """Sum pooling and a linear layer: a map -> logits (n, 1)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layer = nn.Linear(width, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Return logits."""
        logits: Tensor = self.layer(features.sum((2, 3)))
        return logits
