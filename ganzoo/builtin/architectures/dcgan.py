"""DCGAN: deep convolutional networks.

"Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks"
(Radford et al., 2016), https://arxiv.org/abs/1511.06434. Its guidelines: strided and transposed
convolutions instead of pooling; BatchNorm except at the generator's output and the discriminator's
input; no hidden fully connected layer; ReLU and a final tanh in the generator; LeakyReLU in the
discriminator. Its section 4: weights from N(0, 0.02), slope 0.2. Kernels have a side of 4 (3 where
a side is odd), which the stride divides; the paper's have 5.
"""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from ganzoo import DataSpec
from ganzoo.errors import ArchitectureError
from ganzoo.nn import Conditioning, ConditioningHeads, LatentToMap, init_normal

SMALLEST, LARGEST = 16, 256
GENERATOR_BASE = 7  # maximum of the first map's shorter side: 7 for 28 pixels, 4 for a power of two
DISCRIMINATOR_BASE = 4  # maximum of the last map's shorter side
Size = tuple[int, int]  # height and width
MULTIPLIER = 8  # maximum channels of a map, in units of `width`
# Layers that read the last map of `Trunk`, which is another one for images of another side.
AFTER_TRUNK = dict.fromkeys(("last", "heads", "projection"), "same")


def dcgan(
    data: DataSpec,
    *,
    latent_dim: int = 100,
    latent_distribution: Literal["normal", "uniform"] = "normal",
    width: int = 64,
    width_multiplier: int = MULTIPLIER,
    base: int = GENERATOR_BASE,
    discriminator_norm: Literal["batch", "none"] = "batch",
    global_average_pooling: bool = False,
    last_convolution: bool = False,
    conditioning: Conditioning = "none",
    categorical_code: int = 0,
    continuous_codes: int = 0,
) -> dict[str, nn.Module]:
    """DCGAN (Radford et al., 2016), https://arxiv.org/abs/1511.06434.

    Args:
        data: spec of the images: sides of 16 to 256 pixels, any number of channels.
        latent_dim: length of z.
        latent_distribution: distribution of the numbers that the generator reads: ``normal``, or
            ``uniform`` in [-1, 1] as in the paper. z is normal in both cases, and the distribution
            function of a normal maps it to uniform numbers.
        width: channels of the largest map below the image size. They double each time the side is
            halved, up to `width_multiplier` times this number.
        width_multiplier: maximum channels of a map, in units of `width`.
        base: maximum side of the generator's first map, 2 or more: the image's sides are halved,
            rounded up, until the shorter one is at most this number.
        discriminator_norm: ``batch`` as in the paper, or ``none``, which suits gradient penalties.
        global_average_pooling: average the discriminator's last map before its linear layer,
            instead of a weight for each position.
        last_convolution: end the generator with a 3x3 convolution at full size, instead of a
            transposed convolution as in the paper.
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
        ArchitectureError: the image size is not supported, or an argument is below 1.
    """
    check("dcgan", "mlp", data, latent_dim, width)
    if width_multiplier < 1 or base < 2:
        raise ArchitectureError(
            f"architecture 'dcgan' cannot be built with width_multiplier={width_multiplier}, "
            f"base={base}. Set width_multiplier to 1 or more, and base to 2 or more."
        )
    image = data.image
    heads = ConditioningHeads(data, conditioning, categorical_code, continuous_codes)
    generator: nn.Module = Generator(
        latent_dim + heads.classes,
        image.channels,
        width,
        (image.height, image.width),
        multiplier=width_multiplier,
        base=base,
        last_convolution=last_convolution,
    )
    if latent_distribution == "uniform":
        generator = UniformLatents(generator, categorical_code + continuous_codes, latent_dim)
    trunk = Trunk(
        image.channels + heads.extra_channels,
        width,
        (image.height, image.width),
        multiplier=width_multiplier,
        normalise=discriminator_norm == "batch",
    )
    last: nn.Module = nn.Conv2d(trunk.features, 1, trunk.size)
    if global_average_pooling:
        last = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(trunk.features, 1, 1))
    # In this order, which determines the initial weights.
    nets = {"generator": init_normal(heads.generator(generator, latent_dim))}
    discriminator = heads.discriminator(trunk, last, trunk.features)
    discriminator.aligned_at = AFTER_TRUNK
    nets["discriminator"] = init_normal(discriminator)
    return nets


def check(name: str, instead: str, data: DataSpec, latent_dim: int, width: int) -> None:
    """Raise an error if an architecture cannot be built.

    Raises:
        ArchitectureError: the image size is not supported, or an argument is below 1.
    """
    image = data.image
    sides = image.height, image.width
    if min(sides) < SMALLEST or max(sides) > LARGEST:
        raise ArchitectureError(
            f"architecture {name!r} cannot generate images of {image}: it needs images with sides "
            f"of {SMALLEST} to {LARGEST} pixels. Resize the data with --dataset.size 64 or 48x64 "
            f"if the dataset has this option, or use --architecture {instead}."
        )
    if min(latent_dim, width) < 1:
        raise ArchitectureError(
            f"architecture {name!r} cannot be built with latent_dim={latent_dim}, width={width}. "
            "Set both to 1 or more."
        )


def _sizes(size: Size, base: int) -> list[Size]:
    """Return the heights and widths of the maps from the image down, halved and rounded up.

    The shorter side of the last map is at most the base.

    >>> _sizes((28, 28), 7), _sizes((28, 28), 4)[-1], _sizes((64, 96), 7)[-1]
    ([(28, 28), (14, 14), (7, 7)], (4, 4), (4, 6))
    """
    sizes = [size]
    while min(sizes[-1]) > base:
        height, width = sizes[-1]
        sizes.append(((height + 1) // 2, (width + 1) // 2))
    return sizes


def _widths(width: int, sizes: list[Size], multiplier: int) -> list[int]:
    """Return the channels of the maps below the image size; they double as the sides halve."""
    return [min(2**stage, multiplier) * width for stage in range(len(sizes) - 1)]


def _kernel(size: Size) -> Size:
    """Return the kernel that halves or doubles both sides, with stride 2 and padding 1: 4 or 3."""
    return 4 - size[0] % 2, 4 - size[1] % 2


def _enlarge(channels: int, fewer: int, size: Size) -> list[nn.Module]:
    """Return the layers that enlarge a map to a size."""
    return [
        nn.ConvTranspose2d(channels, fewer, _kernel(size), 2, 1, bias=False),
        nn.BatchNorm2d(fewer),
        nn.ReLU(),
    ]


class Generator(nn.Module):
    """DCGAN's generator: z -> images.

    Args:
        latent_dim: length of z.
        channels: channels of the image.
        width: channels of the map next to the image.
        size: height and width of the image.
        multiplier: maximum channels of a map, in units of `width`.
        base: maximum of the first map's shorter side.
        last_convolution: end with a 3x3 convolution of ``width // 2`` channels.
    """

    # Channels double with each step away from the image, so networks for two sides have the same
    # layers next to the image.
    aligned_at: ClassVar = {"layers": "end"}

    def __init__(
        self,
        latent_dim: int,
        channels: int,
        width: int,
        size: Size,
        *,
        multiplier: int = MULTIPLIER,
        base: int = GENERATOR_BASE,
        last_convolution: bool = False,
    ) -> None:
        super().__init__()
        sizes = _sizes(size, base)
        widths = _widths(width, sizes, multiplier)
        layers: list[nn.Module] = [
            LatentToMap(latent_dim, widths[-1], sizes[-1], bias=False),
            nn.BatchNorm2d(widths[-1]),
            nn.ReLU(),
        ]
        for stage in range(len(widths) - 1, 0, -1):
            layers += _enlarge(widths[stage], widths[stage - 1], sizes[stage])
        if last_convolution:
            half = max(1, width // 2)
            layers += [*_enlarge(width, half, size), nn.Conv2d(half, channels, 3, padding=1)]
        else:
            layers.append(nn.ConvTranspose2d(width, channels, _kernel(size), 2, 1))
        self.layers = nn.Sequential(*layers, nn.Tanh())

    def forward(self, z: Tensor, logits: bool = False) -> Tensor:
        """Return images x (n, channels, height, width) in [-1, 1], or l with x = tanh(l / 2)."""
        images: Tensor = 2 * self.layers[:-1](z) if logits else self.layers(z)
        return images


class UniformLatents(nn.Module):
    """A generator that reads uniform numbers, computed from normal latents.

    The distribution function of a normal, scaled to [-1, 1], maps normal numbers to uniform ones.

    Args:
        trunk: the generator.
        start, stop: the first latent that becomes uniform, and the first after them that does not.
    """

    def __init__(self, trunk: nn.Module, start: int, stop: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.start, self.stop = start, stop

    def forward(self, z: Tensor) -> Tensor:
        """Return images."""
        uniform = torch.erf(z[:, self.start : self.stop] / math.sqrt(2))
        images: Tensor = self.trunk(
            torch.cat([z[:, : self.start], uniform, z[:, self.stop :]], dim=1)
        )
        return images


class Trunk(nn.Module):
    """The convolutions of DCGAN's discriminator: images -> a map (n, features, height, width).

    Args:
        channels: channels of the image.
        width: channels of the map next to the image.
        size: height and width of the image.
        multiplier: maximum channels of a map, in units of `width`.
        normalise: add BatchNorm after all convolutions except the first.
    """

    aligned_at: ClassVar = {"layers": "start"}  # next to the image, as in the generator

    def __init__(
        self,
        channels: int,
        width: int,
        size: Size,
        *,
        multiplier: int = MULTIPLIER,
        normalise: bool,
    ) -> None:
        super().__init__()
        sizes = _sizes(size, DISCRIMINATOR_BASE)
        widths = _widths(width, sizes, multiplier)
        layers: list[nn.Module] = [
            nn.Conv2d(channels, widths[0], _kernel(sizes[0]), 2, 1),
            nn.LeakyReLU(0.2),
        ]
        for stage in range(1, len(widths)):
            below, above = widths[stage - 1], widths[stage]
            # A bias before BatchNorm has no effect.
            layers.append(nn.Conv2d(below, above, _kernel(sizes[stage]), 2, 1, bias=not normalise))
            if normalise:
                layers.append(nn.BatchNorm2d(above))
            layers.append(nn.LeakyReLU(0.2))
        self.layers = nn.Sequential(*layers)
        self.features, self.size = widths[-1], sizes[-1]

    def forward(self, images: Tensor) -> Tensor:
        """Return the last map."""
        features: Tensor = self.layers(images)
        return features
