"""The architecture ``srresnet``, the generator and the discriminator of SRGAN."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from ganzoo import DataSpec, SizesSpec
from ganzoo_restore.translators import (
    DiscriminatorOption,
    check_counts,
    condition_of,
    count_doublings,
    with_discriminator,
)


def srresnet(
    data: DataSpec,
    *,
    width: int = 64,
    blocks: int = 16,
    discriminator: DiscriminatorOption = "vgg",
) -> dict[str, nn.Module]:
    """SRResNet, the generator of SRGAN (Ledig et al., 2017), and its discriminator.

    https://arxiv.org/abs/1609.04802, figure 4.

    Args:
        data: images whose sides are 1, 2, 4, 8 or 16 times those of their conditions, any channels.
        width: channels of the maps next to the image, in both networks.
        blocks: number of residual blocks.
        discriminator: ``vgg`` as in the paper, or ``none`` for losses of the generator alone.

    Returns:
        ``generator``: condition -> images, both (n, channels, height, width) in [-1, 1], the images
        in eval mode alone. It reads any height and width.
        ``discriminator``: images of the data's size -> `ganzoo.nn.DiscriminatorOutput`.

    Raises:
        ArchitectureError: the data has no conditions or another scale, or an argument is out of
            range.
    """
    check_counts("srresnet", width=width, blocks=blocks)
    doublings = count_doublings("srresnet", data)
    channels = condition_of("srresnet", data).channels, data.image.channels
    network = SRResNet(*channels, width, blocks, doublings)
    return with_discriminator(network, SizesSpec(scale=2**doublings), data, discriminator, width)


class SRResNet(nn.Module):
    """Residual blocks at the size of the condition, then pixel shuffles that double the sides.

    Args:
        channels: channels of the condition.
        features: channels of the image.
        width: channels of the maps.
        blocks: number of residual blocks.
        doublings: how often the sides double.
    """

    aligned_at: ClassVar = {"upsampling": "start"}

    def __init__(
        self, channels: int, features: int, width: int, blocks: int, doublings: int
    ) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(channels, width, 9, padding=4), nn.PReLU())
        self.blocks = nn.Sequential(*(ResidualBlock(width) for _ in range(blocks)))
        self.body = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)
        )
        self.upsampling = nn.Sequential(
            *(
                nn.Sequential(
                    nn.Conv2d(width, 4 * width, 3, padding=1), nn.PixelShuffle(2), nn.PReLU()
                )
                for _ in range(doublings)
            )
        )
        self.last = nn.Conv2d(width, features, 9, padding=4)

    def forward(self, images: Tensor) -> Tensor:
        """Return images of the sides times 2**doublings."""
        first = self.first(images)
        body: Tensor = first + self.body(self.blocks(first))
        images = self.last(self.upsampling(body))
        return images


class ResidualBlock(nn.Module):
    """Two convolutions with BatchNorm, added to their input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.PReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
        )

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps of the same shape."""
        result: Tensor = maps + self.body(maps)
        return result
