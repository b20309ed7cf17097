"""The architecture of FastGAN's paper.

"Towards Faster and Stabilized GAN Training for High-fidelity Few-shot Image Synthesis" (Liu et
al., 2021), https://arxiv.org/abs/2101.04775.
"""

from __future__ import annotations

from typing import Literal

from torch import nn

from ganzoo import DataSpec
from ganzoo.errors import ArchitectureError
from ganzoo.nn import init_normal
from ganzoo_lightweight import discriminator
from ganzoo_lightweight.fastgan.decoder import Decoder, Discriminator
from ganzoo_lightweight.fastgan.generator import BASE, Generator

SMALLEST, LARGEST = 64, 1024  # side of the images
LARGEST_DECODED = 128  # side of the decoded images in the paper
# Channels of maps of 4, 8, 16, ... pixels per side, as multiples of `width`.
MULTIPLES = (16, 8, 4, 2, 2, 1, 1 / 2, 1 / 4, 1 / 8)


def fastgan(
    data: DataSpec,
    *,
    latent_dim: int = 256,
    width: int = 64,
    supervision: Literal["self", "none"] = "self",
) -> dict[str, nn.Module]:
    """FastGAN (Liu et al., 2021), https://arxiv.org/abs/2101.04775, for 100 to 2,000 images.

    Skip-layer excitations scale the generator's maps of 64 to 512 pixels per side by maps with a
    sixteenth of the side. The decoder reconstructs real images from the discriminator's maps of
    16x16 and 8x8 pixels, at half the side of the images, at most 128.

    Args:
        data: square images with a side of 64, 128, 256, 512 or 1024 pixels; any number of channels.
            Their classes are not used.
        latent_dim: length of z.
        width: channels of the generator's map of 128 pixels per side, and of the discriminator's
            map of 64; smaller maps have more. The decoders' last maps have half as many.
        supervision: ``self`` builds the decoder, which the loss ``fastgan`` trains; ``none`` builds
            no decoder, for other adversarial losses.

    Returns:
        ``generator``: z (n, latent_dim) -> images (n, channels, side, side) in [-1, 1].
        ``discriminator``: images -> `ganzoo.nn.DiscriminatorOutput` with logits (n, 5, 5).
        ``decoder``: see `ganzoo_lightweight.fastgan.decoder.Decoder`.

    Raises:
        ArchitectureError: the size of the images is not supported, or an argument is below 1.
    """
    image = data.image
    side = image.height
    if image.height != image.width or side.bit_count() != 1 or not SMALLEST <= side <= LARGEST:
        raise ArchitectureError(
            f"architecture 'fastgan' does not support images of {image}: they must be square, with "
            f"a side of {SMALLEST}, 128 ... {LARGEST} pixels. Resize the data (--dataset.size 64, "
            "if the dataset has this option), or use --architecture lightweight, from 16 pixels on."
        )
    if min(latent_dim, width) < 1:
        raise ArchitectureError(
            "architecture 'fastgan' cannot be built: latent_dim and width must be at least 1."
        )
    sides = [BASE << k for k in range(side.bit_length() - BASE.bit_length() + 1)]
    widths = {
        each: max(1, int(width * multiple))
        for each, multiple in zip(sides, MULTIPLES[: len(sides)], strict=True)
    }
    # From half the side of the images down to 8 pixels; half as many channels as the side doubles.
    down = [max(1, width * 64 // each) for each in reversed(sides[1:-1])]
    generator = init_normal(Generator(latent_dim, widths, image.channels))
    kind = Discriminator if supervision == "self" else discriminator.Discriminator
    nets = {"generator": generator, "discriminator": init_normal(kind(down, image.channels))}
    if supervision == "self":
        decoded = min(LARGEST_DECODED, side // 2)
        decoder = Decoder(down[-2], down[-1], max(1, width // 2), decoded, image.channels)
        nets["decoder"] = init_normal(decoder)
    return nets
