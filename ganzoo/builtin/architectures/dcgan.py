"""Deep convolutional networks.

"Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks"
(Radford et al., 2016), https://arxiv.org/abs/1511.06434. Its guidelines: strided and transposed
convolutions instead of pooling; BatchNorm except at the generator's output and the discriminator's
input; no hidden fully connected layer; ReLU and a final tanh in the generator; LeakyReLU in the
discriminator. Its section 4: weights from N(0, 0.02), slope 0.2.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from ganzoo import DataSpec
from ganzoo.errors import ArchitectureError
from ganzoo.nn import Conditioning, ConditioningHeads, LatentToMap, init_normal

SMALLEST, LARGEST = 16, 256
GENERATOR_BASE = 7  # largest side of its first map: 7 for 28 pixels, 4 for a power of two
DISCRIMINATOR_BASE = 4  # largest side of its last map
MOST_WIDTHS = 8  # channels of the smallest map, in units of `width`


def dcgan(
    data: DataSpec,
    *,
    latent_dim: int = 100,
    width: int = 64,
    discriminator_norm: Literal["batch", "none"] = "batch",
    global_average_pooling: bool = False,
    last_convolution: bool = False,
    conditioning: Conditioning = "none",
    categorical_code: int = 0,
    continuous_codes: int = 0,
) -> dict[str, nn.Module]:
    """DCGAN (Radford et al., 2016), https://arxiv.org/abs/1511.06434.

    Args:
        data: the images, square, 16 to 256 pixels a side, any number of channels.
        latent_dim: length of z.
        width: channels of the widest map next to the image; each halving of the side doubles
            them, up to eight times.
        discriminator_norm: ``batch`` as in the paper, or ``none``, which suits a penalty on the
            gradient of a single sample.
        global_average_pooling: average the discriminator's last map instead of giving each of its
            places a weight of its own.
        last_convolution: whether the generator draws the image by a 3x3 convolution of maps of its
            size, instead of by the last enlargement as in the paper.
        conditioning: how labels enter: ``none``, ``concat``, ``projection`` or ``auxiliary``, as
            `ganzoo.nn.ConditioningHeads` says.
        categorical_code: values of a categorical code in z, for the loss infogan.
        continuous_codes: continuous codes in z, for the loss infogan.

    Returns:
        ``generator``: z (n, latent_dim), with conditioning also y (n,) -> images (n, channels,
        side, side) in [-1, 1].
        ``discriminator``: images, and y -> `ganzoo.nn.DiscriminatorOutput` with logits (n,).

    Raises:
        ArchitectureError: another size of image, or an argument below 1.
    """
    check("dcgan", "mlp", data, latent_dim, width)
    image = data.image
    conditions = ConditioningHeads(data, conditioning, categorical_code, continuous_codes)
    generator = Generator(
        latent_dim + conditions.classes,
        image.channels,
        width,
        image.height,
        last_convolution=last_convolution,
    )
    trunk = Trunk(
        image.channels + conditions.extra_channels,
        width,
        image.height,
        normalise=discriminator_norm == "batch",
    )
    last: nn.Module = nn.Conv2d(trunk.features, 1, trunk.side)
    if global_average_pooling:
        last = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(trunk.features, 1, 1))
    return {
        "generator": init_normal(conditions.generator(generator, latent_dim)),
        "discriminator": init_normal(conditions.discriminator(trunk, last, trunk.features)),
    }


def check(name: str, instead: str, data: DataSpec, latent_dim: int, width: int) -> None:
    """Refuse what cannot be built.

    Raises:
        ArchitectureError: an image that is not square or of another size, or an argument below 1.
    """
    image = data.image
    if image.height != image.width or not SMALLEST <= image.height <= LARGEST:
        raise ArchitectureError(
            f"architecture {name!r} cannot make images of {image}: it makes square ones of "
            f"{SMALLEST} to {LARGEST} pixels a side. Resize the data (--dataset.size 64, where the "
            f"dataset has it), or take --architecture {instead}."
        )
    if min(latent_dim, width) < 1:
        raise ArchitectureError(
            f"architecture {name!r} cannot be built with latent_dim={latent_dim}, width={width}: "
            "both are at least 1."
        )


def _sides(size: int, base: int) -> list[int]:
    """Sides of the maps from the image down to the base, each half of the one before, rounded up.

    >>> _sides(64, 7), _sides(28, 7), _sides(28, 4)
    ([64, 32, 16, 8, 4], [28, 14, 7], [28, 14, 7, 4])
    """
    sides = [size]
    while sides[-1] > base:
        sides.append((sides[-1] + 1) // 2)
    return sides


def _widths(width: int, sides: list[int]) -> list[int]:
    """Channels of the maps below the image, doubling while the side halves."""
    return [min(2**stage, MOST_WIDTHS) * width for stage in range(len(sides) - 1)]


def _kernel(side: int) -> int:
    """Kernel that maps a side to its half or back, with stride 2 and padding 1: 4, or 3 if odd."""
    return 4 - side % 2


def _enlarge(channels: int, fewer: int, side: int) -> list[nn.Module]:
    """The layers that enlarge a map to a side."""
    return [
        nn.ConvTranspose2d(channels, fewer, _kernel(side), 2, 1, bias=False),
        nn.BatchNorm2d(fewer),
        nn.ReLU(),
    ]


class Generator(nn.Module):
    """z -> images.

    Args:
        latent_dim: length of z.
        channels: of the image.
        width: channels of the map next to the image.
        side: of the image.
        last_convolution: whether a 3x3 convolution of ``width // 2`` maps makes the image.
    """

    def __init__(
        self,
        latent_dim: int,
        channels: int,
        width: int,
        side: int,
        *,
        last_convolution: bool = False,
    ) -> None:
        super().__init__()
        sides = _sides(side, GENERATOR_BASE)
        widths = _widths(width, sides)
        layers: list[nn.Module] = [
            LatentToMap(latent_dim, widths[-1], sides[-1], bias=False),
            nn.BatchNorm2d(widths[-1]),
            nn.ReLU(),
        ]
        for stage in range(len(widths) - 1, 0, -1):
            layers += _enlarge(widths[stage], widths[stage - 1], sides[stage])
        if last_convolution:
            half = max(1, width // 2)
            layers += [*_enlarge(width, half, side), nn.Conv2d(half, channels, 3, padding=1)]
        else:
            layers.append(nn.ConvTranspose2d(width, channels, _kernel(side), 2, 1))
        self.layers = nn.Sequential(*layers, nn.Tanh())

    def forward(self, z: Tensor) -> Tensor:
        """Return images (n, channels, side, side) in [-1, 1]."""
        images: Tensor = self.layers(z)
        return images


class Trunk(nn.Module):
    """images -> map of features, (n, features, side, side).

    Args:
        channels: of the image.
        width: channels of the map next to the image.
        side: of the image.
        normalise: whether there is BatchNorm after every convolution but the first.
    """

    def __init__(self, channels: int, width: int, side: int, *, normalise: bool) -> None:
        super().__init__()
        sides = _sides(side, DISCRIMINATOR_BASE)
        widths = _widths(width, sides)
        layers: list[nn.Module] = [
            nn.Conv2d(channels, widths[0], _kernel(sides[0]), 2, 1),
            nn.LeakyReLU(0.2),
        ]
        for stage in range(1, len(widths)):
            below, above = widths[stage - 1], widths[stage]
            # BatchNorm's shift would make a bias before it idle.
            layers.append(nn.Conv2d(below, above, _kernel(sides[stage]), 2, 1, bias=not normalise))
            if normalise:
                layers.append(nn.BatchNorm2d(above))
            layers.append(nn.LeakyReLU(0.2))
        self.layers = nn.Sequential(*layers)
        self.features, self.side = widths[-1], sides[-1]

    def forward(self, images: Tensor) -> Tensor:
        """Return the last map."""
        features: Tensor = self.layers(images)
        return features
