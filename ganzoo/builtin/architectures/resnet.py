"""Residual networks.

"Spectral Normalization for Generative Adversarial Networks" (Miyato et al., 2018), appendix B.4,
https://arxiv.org/abs/1802.05957.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, relu

from ganzoo import DataSpec
from ganzoo.errors import ArchitectureError
from ganzoo.nn import Conditioning, ConditioningHeads, UpsampleConv2d, add_spectral_norm

SMALLEST_BASE, LARGEST_BASE = 4, 7  # side of the generator's first map
DISCRIMINATOR_SIDE = 8  # the discriminator halves its maps until they are no larger
LARGEST = 256
BLOCKS_BELOW = 2  # its blocks of that side


def resnet(
    data: DataSpec,
    *,
    latent_dim: int = 128,
    width: int = 128,
    spectral_norm: bool = True,
    conditioning: Conditioning = "none",
    categorical_code: int = 0,
    continuous_codes: int = 0,
) -> dict[str, nn.Module]:
    """ResNets of SNGAN (Miyato et al., 2018), https://arxiv.org/abs/1802.05957, table 4.

    Args:
        data: the images, square, of 8 to 256 pixels a side that halve to between 4 and 7: 28, 32,
            48, 64 and so on; any number of channels.
        latent_dim: length of z.
        width: channels of every map of the discriminator, half of those of the generator.
        spectral_norm: whether the discriminator's weights are divided by their largest singular
            value.
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
    image = data.image
    base, doublings = _halve(image.height)
    too_large = not 2 * SMALLEST_BASE <= image.height <= LARGEST
    if image.height != image.width or too_large or base < SMALLEST_BASE or base > LARGEST_BASE:
        raise ArchitectureError(
            f"architecture 'resnet' cannot make images of {image}: it makes square ones of 8 to "
            f"{LARGEST} pixels a side that halve to between {SMALLEST_BASE} and {LARGEST_BASE}, "
            "such as 28, 32 or 64. Resize the data (--dataset.size 64, where the dataset has it), "
            "or take --architecture mlp."
        )
    if min(latent_dim, width) < 1:
        raise ArchitectureError(
            f"architecture 'resnet' cannot be built with latent_dim={latent_dim}, width={width}: "
            "both are at least 1."
        )
    conditions = ConditioningHeads(data, conditioning, categorical_code, continuous_codes)
    inputs = latent_dim + conditions.classes
    generator = Generator(inputs, image.channels, 2 * width, base, doublings)
    trunk = Trunk(image.channels + conditions.extra_channels, width, image.height)
    discriminator = conditions.discriminator(trunk, SumPooled(width), width)
    # The sum over 64 places would make of any bias a verdict that saturates before training.
    for name, weight in discriminator.named_parameters():
        if name.endswith("bias"):
            nn.init.zeros_(weight)
    return {
        "generator": conditions.generator(generator, latent_dim),
        "discriminator": add_spectral_norm(discriminator) if spectral_norm else discriminator,
    }


def _halve(side: int) -> tuple[int, int]:
    """Halve a side while it is even and too large: what is left, and how often.

    >>> _halve(28), _halve(32), _halve(64), _halve(30)
    ((7, 2), (4, 3), (4, 4), (15, 1))
    """
    halvings = 0
    while side > LARGEST_BASE and side % 2 == 0:
        side, halvings = side // 2, halvings + 1
    return side, halvings


class UpBlock(nn.Module):
    """BatchNorm, ReLU, double the side, convolve; again; and add the enlarged input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.BatchNorm2d(width), nn.BatchNorm2d(width)
        self.convolution1 = UpsampleConv2d(width, width, bias=False)
        self.convolution2 = nn.Conv2d(width, width, 3, padding=1)
        self.shortcut = nn.Conv2d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(n, width, side, side) -> (n, width, 2 side, 2 side)."""
        h = self.convolution1(relu(self.norm1(x)))
        h = self.convolution2(relu(self.norm2(h)))
        result: Tensor = h + interpolate(self.shortcut(x), scale_factor=2.0)
        return result


class DownBlock(nn.Module):
    """ReLU, convolve; again; halve the side where asked; and add the input likewise."""

    def __init__(self, inputs: int, width: int, *, halve: bool, first: bool = False) -> None:
        super().__init__()
        self.convolution1 = nn.Conv2d(inputs, width, 3, padding=1)
        self.convolution2 = nn.Conv2d(width, width, 3, padding=1)
        self.shortcut = nn.Conv2d(inputs, width, 1) if halve else nn.Identity()
        self.halve = halve
        self.first = first  # no ReLU before the first convolution: that would cut the image

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, side, side) -> (n, width, side, side), or of half the side."""
        h = self.convolution1(x if self.first else relu(x))
        result: Tensor = self.convolution2(relu(h)) + self.shortcut(x)
        return avg_pool2d(result, 2) if self.halve else result


class Generator(nn.Module):
    """z -> images."""

    def __init__(
        self, latent_dim: int, channels: int, width: int, base: int, doublings: int
    ) -> None:
        super().__init__()
        self.base = base
        self.first = nn.Linear(latent_dim, width * base * base)
        self.blocks = nn.Sequential(*(UpBlock(width) for _ in range(doublings)))
        self.norm = nn.BatchNorm2d(width)
        self.last = nn.Conv2d(width, channels, 3, padding=1)

    def forward(self, z: Tensor) -> Tensor:
        """Return images (n, channels, side, side) in [-1, 1]."""
        h = self.first(z).unflatten(1, (-1, self.base, self.base))
        images: Tensor = self.last(relu(self.norm(self.blocks(h)))).tanh()
        return images


class Trunk(nn.Module):
    """images -> map of features (n, width, side, side)."""

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
    """A map's features, summed over its places -> logits (n, 1)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layer = nn.Linear(width, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Return logits."""
        logits: Tensor = self.layer(features.sum((2, 3)))
        return logits
