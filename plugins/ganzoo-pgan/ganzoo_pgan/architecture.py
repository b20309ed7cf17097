"""The architecture of Progressive GAN, at its final size.

"Progressive Growing of GANs for Improved Quality, Stability, and Variation" (Karras et al., 2018),
https://arxiv.org/abs/1710.10196.
"""

from __future__ import annotations

from typing import Literal

from torch import nn

from ganzoo import DataSpec
from ganzoo.errors import ArchitectureError
from ganzoo.nn import Conditioning, ConditioningHeads, map_sizes, map_widths
from ganzoo_pgan.layers import EqualisedLinear
from ganzoo_pgan.networks import Generator, Trunk

LARGEST = 1024


def pgan(
    data: DataSpec,
    *,
    latent_dim: int = 512,
    width: int = 512,
    full_width_side: int = 32,
    widths: tuple[int, ...] = (),
    pixel_norm: bool = True,
    alpha: float = 1.0,
    output: Literal["linear", "tanh"] = "linear",
    conditioning: Conditioning = "none",
) -> dict[str, nn.Module]:
    """Progressive GAN (Karras et al., 2018), https://arxiv.org/abs/1710.10196, table 2.

    The networks have their final size from the start: they do not grow.

    Args:
        data: images with sides of 8 to 1024 pixels, any number of channels. The shorter side halves
            to between 4 and 7, such as 28, 32, 48 or 64, and the longer one as often, such as
            48x64.
        latent_dim: length of z.
        width: channels of the maps with up to `full_width_side` pixels per side.
        full_width_side: side in pixels; each doubling beyond it halves the channels.
        widths: channels of the maps by side, from the smallest, in place of those that follow from
            `width` and `full_width_side`.
        pixel_norm: normalise z and the generator's features at each pixel.
        alpha: share of the largest side while it fades in, in (0, 1]; the next smaller side has the
            rest. It is constant in a training.
        output: last layer of the generator: ``linear``, as in the paper, clamped to [-1, 1] in
            eval mode; or ``tanh``.
        conditioning: use of labels: ``none``, ``concat``, ``projection`` or ``auxiliary``, see
            `ganzoo.nn.ConditioningHeads`.

    Returns:
        ``generator``: z (n, latent_dim), with conditioning also y (n,) -> images (n, channels,
        height, width), in [-1, 1] in eval mode.
        ``discriminator``: images, and y -> `ganzoo.nn.DiscriminatorOutput` with logits (n,). It
        reads the standard deviation over the batch.

    Raises:
        ArchitectureError: the size of the images is not supported, an argument is out of its range,
            or `widths` has another number of sides.
    """
    image = data.image
    sizes = map_sizes("pgan", image, LARGEST)
    sides = tuple(map(min, sizes))
    counts = {"latent_dim": latent_dim, "width": width, "full_width_side": full_width_side}
    if low := [f"{name}={count}" for name, count in counts.items() if count < 1]:
        raise ArchitectureError(
            f"architecture 'pgan' cannot be built with {', '.join(low)}: each must be at least 1."
        )
    if not 0 < alpha <= 1:
        raise ArchitectureError(
            f"architecture 'pgan' cannot be built with alpha={alpha}: it must be in (0, 1]. Use "
            "--architecture.alpha 1 for images of the largest side alone."
        )
    widths = widths or map_widths(sides, width, full_width_side)
    if len(widths) != len(sides) or min(widths) < 1:
        raise ArchitectureError(
            f"architecture 'pgan' cannot be built with {', '.join(map(str, widths))} channels: "
            f"it needs at least 1 for each of the sides {', '.join(map(str, sides))}. Use "
            f"--architecture.widths {' '.join('N' * len(sides))}, or a larger --architecture.width."
        )
    heads = ConditioningHeads(data, conditioning)
    generator = Generator(
        latent_dim + heads.classes,
        image.channels,
        widths,
        sizes[0],
        pixel_norm=pixel_norm,
        alpha=alpha,
        bounded=output == "tanh",
    )
    trunk = Trunk(image.channels + heads.extra_channels, widths, sizes[0], alpha=alpha)
    return {
        "generator": heads.generator(generator, latent_dim),
        "discriminator": heads.discriminator(trunk, EqualisedLinear(widths[0], 1), widths[0]),
    }
