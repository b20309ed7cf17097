"""The self-supervision of the discriminator: it keeps in its maps what decoders need.

"Towards Faster and Stabilized GAN Training for High-fidelity Few-shot Image Synthesis" (Liu et
al., 2021), section 3.2, https://arxiv.org/abs/2101.04775.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from ganzoo.nn import DiscriminatorOutput
from ganzoo_lightweight import discriminator
from ganzoo_lightweight.layers import UpBlock

MAP = 8  # side of the maps that are decoded
MAPS = ("image", "middle", "last")
"""Heads of the discriminator: the images that it read, and its maps of 16x16 and 8x8 pixels."""


class Discriminator(discriminator.Discriminator):
    """The discriminator, whose output also has the images and maps that the decoder compares."""

    def forward(self, images: Tensor) -> DiscriminatorOutput:
        """Return logits (n, 5, 5), features, and the heads in `MAPS`."""
        middle = self.blocks[:-1](self.first(images))
        last = self.blocks[-1](middle)
        features = self.mix(last)
        heads = dict(zip(MAPS, (images, middle, last), strict=True))
        return DiscriminatorOutput(self.last(features).squeeze(1), features, heads)


class Decoder(nn.Module):
    """Maps of the discriminator -> images of what it read: of the whole, and of a quarter.

    Args:
        middle: channels of the discriminator's map of 16x16 pixels.
        last: channels of its map of 8x8 pixels.
        width: channels of the decoders' last maps.
        side: side of the decoded images: 16, 32, 64 or 128 pixels.
        channels: channels of the images.
    """

    def __init__(self, middle: int, last: int, width: int, side: int, channels: int) -> None:
        super().__init__()
        self.side = side
        self.whole = _decoder(last, width, side, channels)
        self.part = _decoder(middle, width, side, channels)

    def forward(self, middle: Tensor, last: Tensor) -> tuple[Tensor, Tensor]:
        """Return decoded quarters and decoded whole images, (n, channels, side, side).

        Args:
            middle: quarters of the 16x16 maps, (n, channels, 8, 8).
            last: the 8x8 maps, (n, channels, 8, 8).
        """
        return self.part(middle), self.whole(last)

    def modules_from_image(self) -> tuple[nn.Module, ...]:
        """Return no modules: the decoder reads maps, so it is no discriminator.

        ``--freeze-layers``, ``--spectral-norm`` and ``--loss.weight-clip`` leave it alone.
        """
        return ()


def _decoder(inputs: int, width: int, side: int, channels: int) -> nn.Sequential:
    """Return a decoder of 8x8 maps: nearest upsampling with convolutions, and a tanh."""
    doublings = (side // MAP).bit_length() - 1
    outputs = [width * min(4, 1 << k) for k in reversed(range(doublings))]
    blocks = [
        UpBlock(before, after, "nearest", noise=False)
        for before, after in zip([inputs, *outputs[:-1]], outputs, strict=True)
    ]
    return nn.Sequential(*blocks, nn.Conv2d(width, channels, 3, padding=1, bias=False), nn.Tanh())


def quarter(maps: Tensor, which: Tensor) -> Tensor:
    """Return a quarter of each map, (n, channels, height / 2, width / 2).

    Args:
        maps: (n, channels, height, width), with even sides.
        which: int64 (n,): 0 and 1 are the upper quarters, from the left; 2 and 3 the lower ones.
    """
    n, channels, height, width = maps.shape
    blocks = maps.reshape(n, channels, 2, height // 2, 2, width // 2)
    quarters = blocks.permute(0, 2, 4, 1, 3, 5).flatten(1, 2)
    return quarters[torch.arange(n, device=maps.device), which]


def reduce(images: Tensor, side: int) -> Tensor:
    """Return images reduced to a side by the means of squares of pixels."""
    return avg_pool2d(images, images.shape[-1] // side)
