"""The generator of FastGAN.

"Towards Faster and Stabilized GAN Training for High-fidelity Few-shot Image Synthesis" (Liu et
al., 2021), section 3.1, https://arxiv.org/abs/2101.04775.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, glu, leaky_relu

from ganzoo.nn import LatentToMap
from ganzoo_lightweight.layers import Noise, UpBlock

BASE = 4  # side of the first map, and of the maps that excitations read
SKIP = 16  # how many times larger the map is that an excitation scales
FIRST_SCALED, LAST_SCALED = 64, 512  # sides of the maps that excitations scale


class Refine(nn.Module):
    """A convolution with noise, BatchNorm and a gated linear unit, at the same side.

    Args:
        channels: channels before and after.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(channels, 2 * channels, 3, padding=1, bias=False)
        self.noise = Noise()
        self.norm = nn.BatchNorm2d(2 * channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return a map of the size of `x`, (n, channels, side, side)."""
        return glu(self.norm(self.noise(self.convolution(x))), 1)


class PooledExcitation(nn.Module):
    """Skip-layer excitation: factors in (0, 1) for the channels of a larger map.

    The small map is pooled to 4x4 pixels, which a 4x4 convolution reduces to one.

    Args:
        inputs: channels of the small map.
        outputs: channels of the larger map.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, outputs, BASE, bias=False)
        self.excite = nn.Conv2d(outputs, outputs, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return factors (n, outputs, 1, 1) for a map (n, inputs, side, side)."""
        pooled = avg_pool2d(x, x.shape[-1] // BASE)
        factors: Tensor = self.excite(leaky_relu(self.squeeze(pooled), 0.1)).sigmoid()
        return factors


class Generator(nn.Module):
    """z (n, latent_dim) -> images (n, channels, side, side) in [-1, 1].

    Args:
        latent_dim: length of z.
        widths: channels of the maps, by side: 4, 8, 16, ...
        channels: channels of the images.
    """

    def __init__(self, latent_dim: int, widths: Mapping[int, int], channels: int) -> None:
        super().__init__()
        self.first = LatentToMap(latent_dim, 2 * widths[BASE], BASE, bias=False)
        self.norm = nn.BatchNorm2d(2 * widths[BASE])
        self.blocks = nn.ModuleDict()
        self.excitations = nn.ModuleDict()
        for number, (small, large) in enumerate(pairwise(widths)):
            block: nn.Module
            if number % 2 == 0:  # to 8, 32, 128, ... pixels per side: two convolutions, with noise
                enlarge = UpBlock(widths[small], widths[large], "nearest", noise=True)
                block = nn.Sequential(enlarge, Refine(widths[large]))
            else:
                block = UpBlock(widths[small], widths[large], "nearest", noise=False)
            self.blocks[str(large)] = block
            if FIRST_SCALED <= large <= LAST_SCALED:
                self.excitations[str(large)] = PooledExcitation(
                    widths[large // SKIP], widths[large]
                )
        self.last = nn.Conv2d(widths[max(widths)], channels, 3, padding=1, bias=False)

    def forward(self, z: Tensor) -> Tensor:
        """Return images."""
        x = glu(self.norm(self.first(z)), 1)
        maps = {BASE: x}
        for name, block in self.blocks.items():
            x, side = block(x), int(name)
            if name in self.excitations:
                x = x * self.excitations[name](maps[side // SKIP])
            maps[side] = x
        images: Tensor = self.last(x).tanh()
        return images
