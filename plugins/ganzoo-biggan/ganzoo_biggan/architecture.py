"""The architecture of BigGAN-deep.

"Large Scale GAN Training for High Fidelity Natural Image Synthesis" (Brock et al., 2019), appendix
B, https://arxiv.org/abs/1809.11096.
"""

from __future__ import annotations

from itertools import pairwise

from torch import nn

from ganzoo import DataSpec
from ganzoo.errors import ArchitectureError
from ganzoo.nn import ConditioningHeads, add_spectral_norm, init_orthogonal
from ganzoo_biggan.blocks import Block
from ganzoo_biggan.networks import BASE, Generator, Trunk

# Multiples of the width at 4, 8, 16, ... pixels per side. Tables 7 to 9 of the paper have 128 to
# 512 pixels; the smaller sizes continue them.
MULTIPLES = {
    32: (8, 4, 2, 1),
    64: (16, 8, 4, 2, 1),
    128: (16, 16, 8, 4, 2, 1),
    256: (16, 16, 8, 8, 4, 2, 1),
    512: (16, 16, 8, 8, 4, 2, 1, 1),
}


def biggan_deep(
    data: DataSpec,
    *,
    latent_dim: int = 128,
    class_dim: int = 128,
    width: int = 128,
    multiples: tuple[int, ...] = (),
    up_blocks: tuple[int, ...] = (),
    attention_side: int = 64,
    epsilon: float = 1e-4,
    truncation: float = 1.0,
    spectral_norm: bool = True,
) -> dict[str, nn.Module]:
    """BigGAN-deep (Brock et al., 2019), https://arxiv.org/abs/1809.11096, tables 7 to 9.

    Args:
        data: images of 32, 64, 128, 256 or 512 pixels per side, any number of channels, with two
            classes or more.
        latent_dim: length of z.
        class_dim: length of the embedding of a class.
        width: channels of the largest map; those of the others are multiples.
        multiples: channels before the first and after each residual block, as multiples of
            `width`, each the one before or less; by default the paper's.
        up_blocks: numbers of the blocks that double the side, from 0; by default every second.
        attention_side: side of the map with attention, which follows the doubling to this side;
            0 for no attention.
        epsilon: added to the variances of BatchNorm.
        truncation: factor of z. The paper draws a value of z again if its magnitude is above a
            threshold; this factor is the variant of published weights.
        spectral_norm: divide the discriminator's weights by their largest singular value.

    Returns:
        ``generator``: z (n, latent_dim), y (n,) -> images (n, channels, side, side) in [-1, 1].
        ``discriminator``: images, y -> `ganzoo.nn.DiscriminatorOutput` with logits (n,).

    Raises:
        ArchitectureError: the size of the images is not supported, the data has no classes, or an
            argument is out of its range.
    """
    image = data.image
    if image.height != image.width or image.height not in MULTIPLES:
        raise ArchitectureError(
            f"architecture 'biggan-deep' does not support images of {image}: they must be square, "
            f"with a side of {', '.join(map(str, MULTIPLES))} pixels. Resize the data "
            "(--dataset.size 64, if the dataset has this option), or use --architecture mlp."
        )
    if min(latent_dim, class_dim, width) < 1 or truncation <= 0 or epsilon <= 0:
        raise ArchitectureError(
            f"architecture 'biggan-deep' cannot be built with latent_dim={latent_dim}, "
            f"class_dim={class_dim}, width={width}, truncation={truncation}, epsilon={epsilon}. "
            "Set the first three to 1 or more, and the others above 0."
        )
    blocks = _blocks(image.height, width, multiples, up_blocks)
    heads = ConditioningHeads(data, "projection")
    generator = Generator(
        latent_dim,
        heads.classes,
        class_dim,
        blocks,
        image.channels,
        attention_side=attention_side,
        truncation=truncation,
        epsilon=epsilon,
    )
    features = blocks[0].inputs
    trunk = Trunk(blocks, image.channels, attention_side)
    discriminator = init_orthogonal(heads.discriminator(trunk, nn.Linear(features, 1), features))
    return {
        "generator": init_orthogonal(generator),
        "discriminator": add_spectral_norm(discriminator) if spectral_norm else discriminator,
    }


def _blocks(
    side: int, width: int, multiples: tuple[int, ...], up_blocks: tuple[int, ...]
) -> list[Block]:
    """Return the residual blocks of the generator."""
    sides = MULTIPLES[side]
    # By default, two blocks per side: one keeps it, and one doubles it.
    chosen = multiples or (sides[0], *(m for pair in pairwise(sides) for m in pair))
    ups = up_blocks or tuple(range(1, len(chosen) - 1, 2))
    problem = ""
    if min(chosen) < 1 or any(after > before for before, after in pairwise(chosen)):
        problem = f"multiples is {list(chosen)}, but each must be the one before or less"
    elif len(set(ups)) < len(ups) or not set(ups) <= set(range(len(chosen) - 1)):
        problem = (
            f"up_blocks is {list(ups)}, but there are {len(chosen) - 1} blocks, one less than "
            "multiples: each number must be from 0 to one less than this, and differ"
        )
    elif BASE << len(ups) != side:
        problem = (
            f"up_blocks has {len(ups)} numbers, which double {BASE} pixels to {BASE << len(ups)}, "
            f"but images have {side} pixels per side"
        )
    if problem:
        raise ArchitectureError(f"architecture 'biggan-deep' cannot be built: {problem}.")
    blocks, current = [], BASE
    for k, (before, after) in enumerate(pairwise(chosen)):
        current <<= k in ups
        blocks.append(Block(width * before, width * after, k in ups, current))
    return blocks
