"""The architecture of FastGAN and Lightweight GAN.

"Towards Faster and Stabilized GAN Training for High-fidelity Few-shot Image Synthesis" (Liu et
al., 2021), https://arxiv.org/abs/2101.04775.
"""

from __future__ import annotations

from typing import Literal

from torch import nn

from ganzoo import DataSpec
from ganzoo.errors import ArchitectureError
from ganzoo.nn import init_normal
from ganzoo_lightweight.attention import AttentionKind
from ganzoo_lightweight.discriminator import Discriminator
from ganzoo_lightweight.generator import BASE, FIRST_SKIP, SKIP, Design, Generator
from ganzoo_lightweight.layers import Upsampling

SMALLEST, LARGEST = 16, 1024  # side of the images
LEAST_HIDDEN = 3  # channels inside an excitation


def lightweight(
    data: DataSpec,
    *,
    latent_dim: int = 256,
    width: int = 64,
    widest: int = 512,
    widths: tuple[int, ...] = (),
    upsampling: Upsampling = "nearest",
    noise: bool = True,
    attention: AttentionKind = "linear-local",
    attention_sides: tuple[int, ...] = (),
    excitation_widths: tuple[int, ...] = (),
    output: Literal["tanh", "linear"] = "tanh",
) -> dict[str, nn.Module]:
    """FastGAN (Liu et al., 2021), https://arxiv.org/abs/2101.04775, and its variants.

    The first map of the generator, 4x4 pixels, has `latent_dim` channels.

    Args:
        data: square images with a side of 16, 32, 64 ... 1024 pixels; any number of channels.
            Their classes are not used.
        latent_dim: length of z.
        width: channels of the maps of 128 pixels per side, in both networks. Maps of other sides
            have this number times 128 / side.
        widest: most channels of a map.
        widths: channels of the generator's maps of 8, 16, 32 ... pixels per side, up to the side
            of the images; by default as `width` and `widest` say.
        upsampling: ``nearest`` is the paper's: repeated pixels, then a 3x3 convolution;
            ``shuffle`` is sub-pixel convolution, the filter (1, 2, 1), and a 4x4 convolution.
        noise: add noise to the generator's maps in training; in eval mode the noise is 0.
        attention: the kind of attention of the maps in `attention_sides`: ``linear``, or
            ``linear-local`` for linear attention and attention over 3x3 pixels.
        attention_sides: sides of the generator's maps with attention, such as 32; the paper has
            none.
        excitation_widths: channels inside the skip-layer excitations, from the smallest map on; by
            default half of those that they scale, at least 3.
        output: last layer of the generator: ``tanh``; or ``linear``, clamped to [-1, 1] in eval
            mode.

    Returns:
        ``generator``: z (n, latent_dim) -> images (n, channels, side, side) in [-1, 1]; with a
        linear output they may leave this range in training mode.
        ``discriminator``: images -> `ganzoo.nn.DiscriminatorOutput` with logits (n, 5, 5).

    Raises:
        ArchitectureError: the size of the images is not supported, or an argument does not fit it.
    """
    image = data.image
    side = image.height
    if image.height != image.width or side.bit_count() != 1 or not SMALLEST <= side <= LARGEST:
        raise ArchitectureError(
            f"architecture 'lightweight' does not support images of {image}: they must be square, "
            f"with a side of {SMALLEST}, 32, 64 ... {LARGEST} pixels. Resize the data "
            "(--dataset.size 64, if the dataset has this option), or use --architecture mlp."
        )
    sides = [BASE << k for k in range(1, side.bit_length() - BASE.bit_length() + 1)]
    default = [max(1, min(widest, width * 128 // each)) for each in sides]
    skips = [each for each in sides if each >= FIRST_SKIP and SKIP * each <= side]
    chosen = widths or tuple(default)
    by_side = dict(zip(sides, chosen, strict=False))  # `_check` refuses another number of widths
    hidden = excitation_widths or tuple(
        max(LEAST_HIDDEN, by_side.get(SKIP * each, 0) // 2) for each in skips
    )
    _check(sides, chosen, skips, hidden, latent_dim, width, widest, attention_sides)
    design = Design(
        upsampling=upsampling,
        noise=noise,
        attention=attention,
        attention_sides=attention_sides,
        excitations=dict(zip(skips, hidden, strict=True)),
        bounded=output == "tanh",
    )
    generator = Generator(latent_dim, (latent_dim, *chosen), image.channels, design)
    discriminator = Discriminator(default[-2::-1], image.channels)
    return {"generator": init_normal(generator), "discriminator": init_normal(discriminator)}


def _check(
    sides: list[int],
    widths: tuple[int, ...],
    skips: list[int],
    hidden: tuple[int, ...],
    latent_dim: int,
    width: int,
    widest: int,
    attention_sides: tuple[int, ...],
) -> None:
    """Raise an error if an argument does not fit the size of the images."""
    inner = [BASE, *sides[:-1]]
    problem = ""
    if min(latent_dim, width, widest, *widths, *hidden) < 1:
        problem = "numbers of channels and latent_dim must be at least 1"
    elif len(widths) != len(sides):
        problem = (
            f"widths has {len(widths)} numbers, but the generator has maps of {sides} pixels per "
            "side: set one for each, or leave it out"
        )
    elif len(hidden) != len(skips):
        problem = (
            f"excitation_widths has {len(hidden)} numbers, but the generator has {len(skips)} "
            "excitations for images of this size: set one for each, or leave it out"
        )
    elif len(set(attention_sides)) < len(attention_sides) or not set(attention_sides) <= set(inner):
        problem = (
            f"attention_sides is {list(attention_sides)}, but maps have {inner} pixels per side "
            "before the last block: set different ones of these"
        )
    if problem:
        raise ArchitectureError(f"architecture 'lightweight' cannot be built: {problem}.")
