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
from ganzoo.nn import init_normal

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
) -> dict[str, nn.Module]:
    """DCGAN (Radford et al., 2016), https://arxiv.org/abs/1511.06434.

    Args:
        data: the images, square, 16 to 256 pixels a side, any number of channels.
        latent_dim: length of z.
        width: channels of the widest map next to the image; each halving of the side doubles
            them, up to eight times.
        discriminator_norm: ``batch`` as in the paper, or ``none``, which suits a penalty on the
            gradient of a single sample.

    Returns:
        ``generator``: z (n, latent_dim) -> images (n, channels, side, side) in [-1, 1].
        ``discriminator``: images -> logits (n,).

    Raises:
        ArchitectureError: another size of image, or an argument below 1.
    """
    image = data.image
    if image.height != image.width or not SMALLEST <= image.height <= LARGEST:
        raise ArchitectureError(
            f"architecture 'dcgan' cannot make images of {image}: it makes square ones of "
            f"{SMALLEST} to {LARGEST} pixels a side. Resize the data (--dataset.size 64, where the "
            "dataset has it), or take --architecture mlp."
        )
    if min(latent_dim, width) < 1:
        raise ArchitectureError(
            f"architecture 'dcgan' cannot be built with latent_dim={latent_dim}, width={width}: "
            "both are at least 1."
        )
    up = _sides(image.height, GENERATOR_BASE)
    down = _sides(image.height, DISCRIMINATOR_BASE)
    normalise = discriminator_norm == "batch"
    return {
        "generator": init_normal(Generator(latent_dim, image.channels, width, up)),
        "discriminator": init_normal(Discriminator(image.channels, width, down, normalise)),
    }


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


class Generator(nn.Module):
    """z -> images.

    Args:
        latent_dim: length of z.
        channels: of the image.
        width: channels of the map next to the image.
        sides: sides of the maps, image first.
    """

    def __init__(self, latent_dim: int, channels: int, width: int, sides: list[int]) -> None:
        super().__init__()
        widths = _widths(width, sides)
        layers: list[nn.Module] = [
            nn.ConvTranspose2d(latent_dim, widths[-1], sides[-1], bias=False),
            nn.BatchNorm2d(widths[-1]),
            nn.ReLU(),
        ]
        for stage in range(len(widths) - 1, 0, -1):
            layers += [
                nn.ConvTranspose2d(
                    widths[stage], widths[stage - 1], _kernel(sides[stage]), 2, 1, bias=False
                ),
                nn.BatchNorm2d(widths[stage - 1]),
                nn.ReLU(),
            ]
        layers += [nn.ConvTranspose2d(widths[0], channels, _kernel(sides[0]), 2, 1), nn.Tanh()]
        self.layers = nn.Sequential(*layers)

    def forward(self, z: Tensor) -> Tensor:
        """Return images (n, channels, side, side) in [-1, 1]."""
        images: Tensor = self.layers(z[:, :, None, None])
        return images


class Discriminator(nn.Module):
    """images -> logits; `normalise` adds BatchNorm, the other arguments are the generator's."""

    def __init__(self, channels: int, width: int, sides: list[int], normalise: bool) -> None:
        super().__init__()
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
        self.layers = nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, sides[-1]))

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (n,)."""
        logits: Tensor = self.layers(images)
        return logits.flatten()
