"""The architecture ``rrdbnet``, the generator of ESRGAN, and the discriminator of its training.

The weights have the names of ESRGAN's first program, which are also those of spandrel's network.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from ganzoo import DataSpec, SizesSpec
from ganzoo_restore.translators import (
    SLOPE,
    DiscriminatorOption,
    check_counts,
    condition_of,
    count_doublings,
    with_discriminator,
)

RESIDUAL = 0.2  # factor of residuals
SMALL = 0.1  # factor of the initial weights of blocks


def rrdbnet(
    data: DataSpec,
    *,
    width: int = 64,
    blocks: int = 23,
    growth: int = 32,
    discriminator: DiscriminatorOption = "vgg",
) -> dict[str, nn.Module]:
    """RRDBNet, the generator of ESRGAN (Wang et al., 2018), and SRGAN's discriminator.

    https://arxiv.org/abs/1809.00219, section 3.1.

    Args:
        data: images whose sides are 1, 2, 4, 8 or 16 times those of their conditions, any channels.
        width: channels of the maps next to the image, in both networks.
        blocks: number of residual blocks, each of three dense blocks.
        growth: channels that a convolution of a dense block adds.
        discriminator: ``vgg`` as in the paper, or ``none`` for losses of the generator alone.

    Returns:
        ``generator``: condition -> images, both (n, channels, height, width) in [-1, 1], the images
        in eval mode alone. It reads any height and width.
        ``discriminator``: images of the data's size -> `ganzoo.nn.DiscriminatorOutput`.

    Raises:
        ArchitectureError: the data has no conditions or another scale, or an argument is out of
            range.
    """
    check_counts("rrdbnet", width=width, blocks=blocks, growth=growth)
    doublings = count_doublings("rrdbnet", data)
    channels = condition_of("rrdbnet", data).channels, data.image.channels
    network = RRDBNet(*channels, width, blocks, growth, doublings)
    return with_discriminator(network, SizesSpec(scale=2**doublings), data, discriminator, width)


class RRDBNet(nn.Module):
    """Dense blocks at the size of the condition, then convolutions after nearest upsampling.

    Args:
        channels: channels of the condition.
        features: channels of the image.
        width: channels of the maps.
        blocks: number of residual blocks.
        growth: channels that a convolution of a dense block adds.
        doublings: how often the sides double.
    """

    aligned_at: ClassVar = {"model": "start"}

    def __init__(
        self, channels: int, features: int, width: int, blocks: int, growth: int, doublings: int
    ) -> None:
        super().__init__()
        body = [ResidualInResidual(width, growth) for _ in range(blocks)]
        layers: list[nn.Module] = [
            _convolution(channels, width),
            Shortcut(nn.Sequential(*body, _convolution(width, width))),
        ]
        for _ in range(doublings):
            layers += [nn.Upsample(scale_factor=2), *_activated(width, width)]
        layers += [*_activated(width, width), _convolution(width, features)]
        self.model = nn.Sequential(*layers)

    def forward(self, images: Tensor) -> Tensor:
        """Return images of the sides times 2**doublings."""
        result: Tensor = self.model(images)
        return result


class Shortcut(nn.Module):
    """A module whose output is added to its input."""

    def __init__(self, sub: nn.Module) -> None:
        super().__init__()
        self.sub = sub

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps of the same shape."""
        result: Tensor = maps + self.sub(maps)
        return result


class ResidualInResidual(nn.Module):
    """Three dense blocks, a fifth of whose output is added to their input."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        self.RDB1, self.RDB2, self.RDB3 = (DenseBlock(width, growth) for _ in range(3))

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps of the same shape."""
        result: Tensor = maps + RESIDUAL * self.RDB3(self.RDB2(self.RDB1(maps)))
        return result


class DenseBlock(nn.Module):
    """Five convolutions, each of the outputs of all before it; a fifth is added to the input."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        self.conv1, self.conv2, self.conv3, self.conv4 = (
            nn.Sequential(*_activated(width + k * growth, growth)) for k in range(4)
        )
        self.conv5 = nn.Sequential(_convolution(width + 4 * growth, width))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)
                with torch.no_grad():
                    module.weight.mul_(SMALL)
                    assert module.bias is not None
                    module.bias.zero_()

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps of the same shape."""
        outputs = [maps]
        for convolution in (self.conv1, self.conv2, self.conv3, self.conv4):
            outputs.append(convolution(torch.cat(outputs, 1)))
        result: Tensor = maps + RESIDUAL * self.conv5(torch.cat(outputs, 1))
        return result


def _convolution(channels: int, features: int) -> nn.Conv2d:
    return nn.Conv2d(channels, features, 3, padding=1)


def _activated(channels: int, features: int) -> tuple[nn.Module, nn.Module]:
    return _convolution(channels, features), nn.LeakyReLU(SLOPE)
