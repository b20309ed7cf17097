"""DCGAN whose generator enlarges maps by repeating pixels.

"Deconvolution and Checkerboard Artifacts" (Odena et al., 2016),
https://doi.org/10.23915/distill.00003: upsampling and a convolution instead of a transposed
convolution. The other layers are those of Radford et al. (2016), https://arxiv.org/abs/1511.06434,
except for a fully connected first layer and LeakyReLU in the generator.
"""

from __future__ import annotations

import math

from torch import Tensor, nn

from ganzoo import DataSpec
from ganzoo.builtin.architectures.dcgan import AFTER_TRUNK, Trunk, check
from ganzoo.errors import ArchitectureError
from ganzoo.nn import ConditioningHeads, UpsampleConv2d, init_normal

STEP = 4  # the sides of an image are multiples of it
SLOPE = 0.2


def upsampling_dcgan(
    data: DataSpec,
    *,
    latent_dim: int = 100,
    width: int = 64,
    norm_eps: float = 1e-5,
) -> dict[str, nn.Module]:
    """DCGAN with upsampling (Odena et al., 2016), https://doi.org/10.23915/distill.00003.

    Args:
        data: spec of the images: sides of 16 to 256 pixels that are multiples of 4, any number of
            channels.
        latent_dim: length of z.
        width: channels of the largest map below the image. The generator's other maps have twice as
            many; those of the discriminator, which is DCGAN's, double each time the side is halved.
        norm_eps: number that BatchNorm adds to a variance, in the generator after convolutions.

    Returns:
        ``generator``: z (n, latent_dim) -> images (n, channels, height, width) in [-1, 1].
        ``discriminator``: images -> `ganzoo.nn.DiscriminatorOutput` with logits (n,).

    Raises:
        ArchitectureError: the image size is not supported, or an argument is out of range.
    """
    image = data.image
    check("upsampling-dcgan", "mlp", data, latent_dim, width)
    if image.height % STEP or image.width % STEP:
        raise ArchitectureError(
            f"architecture 'upsampling-dcgan' cannot generate images of {image}: the sides must be "
            f"multiples of {STEP}. Use --architecture dcgan, or resize the data."
        )
    if not 0 < norm_eps < math.inf:
        raise ArchitectureError(
            f"architecture 'upsampling-dcgan' cannot be built with norm_eps={norm_eps}. Use for "
            "example --architecture.norm-eps 1e-5."
        )
    size = image.height, image.width
    generator = Generator(latent_dim, image.channels, width, size, norm_eps)
    trunk = Trunk(image.channels, width, size, normalise=True)
    last = nn.Conv2d(trunk.features, 1, trunk.size)
    discriminator = ConditioningHeads(data).discriminator(trunk, last, trunk.features)
    discriminator.aligned_at = AFTER_TRUNK
    return {"generator": init_normal(generator), "discriminator": init_normal(discriminator)}


class Generator(nn.Module):
    """The generator: z -> images.

    Args:
        latent_dim: length of z.
        channels: channels of the image.
        width: channels of the map below the image.
        size: height and width of the image, multiples of 4.
        norm_eps: number that BatchNorm adds to a variance, after convolutions.
    """

    def __init__(
        self, latent_dim: int, channels: int, width: int, size: tuple[int, int], norm_eps: float
    ) -> None:
        super().__init__()
        twice, base = 2 * width, (size[0] // STEP, size[1] // STEP)
        self.layers = nn.Sequential(
            nn.Linear(latent_dim, twice * math.prod(base)),
            nn.Unflatten(1, (twice, *base)),
            nn.BatchNorm2d(twice),
            *_enlarge(twice, twice, norm_eps),
            *_enlarge(twice, width, norm_eps),
            nn.Conv2d(width, channels, 3, padding=1),
            nn.Tanh(),
        )

    def forward(self, z: Tensor, logits: bool = False) -> Tensor:
        """Return images x (n, channels, height, width) in [-1, 1], or l with x = tanh(l / 2)."""
        images: Tensor = 2 * self.layers[:-1](z) if logits else self.layers(z)
        return images


def _enlarge(inputs: int, outputs: int, norm_eps: float) -> list[nn.Module]:
    """Return the layers that double the side of a map. A bias before BatchNorm has no effect."""
    return [
        UpsampleConv2d(inputs, outputs, bias=False),
        nn.BatchNorm2d(outputs, eps=norm_eps),
        nn.LeakyReLU(SLOPE),
    ]
