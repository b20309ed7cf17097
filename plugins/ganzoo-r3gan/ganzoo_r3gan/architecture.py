"""R3GAN's networks for the images of a dataset.

"The GAN is dead; long live the GAN! A Modern GAN Baseline" (Huang et al., 2024), section 4,
https://arxiv.org/abs/2501.05441.
"""

from __future__ import annotations

from torch import nn

from ganzoo import DataSpec
from ganzoo.errors import ArchitectureError
from ganzoo.nn import Conditioning, ConditioningHeads
from ganzoo_r3gan.blocks import Stage, init_linear
from ganzoo_r3gan.networks import Generator, Trunk

SMALLEST_BASE, LARGEST_BASE = 4, 7  # side of the smallest map; the paper's is 4
LARGEST = 256


def r3gan(
    data: DataSpec,
    *,
    latent_dim: int = 64,
    width: int = 768,
    full_width_side: int = 32,
    blocks: int = 2,
    expansion: int = 2,
    group_size: int = 16,
    conditioning: Conditioning = "none",
    categorical_code: int = 0,
    continuous_codes: int = 0,
) -> dict[str, nn.Module]:
    """R3GAN, configuration E (Huang et al., 2024), https://arxiv.org/abs/2501.05441.

    The defaults are the paper's for 32 to 256 pixels. Two things differ from it: a tanh bounds the
    images, and labels enter as `ganzoo.nn.ConditioningHeads` says: one-hot beside z, and
    ``projection`` for the paper's product of the discriminator's features with a vector of the
    class.

    Args:
        data: the images, square, of 8 to 256 pixels a side that halve to between 4 and 7: 28, 32,
            48, 64 and so on; any number of channels.
        latent_dim: length of z.
        width: channels of the maps of up to `full_width_side` pixels.
        full_width_side: each doubling of a map's side beyond this halves its channels.
        blocks: residual blocks of each side, in either network.
        expansion: channels inside a block, in units of those outside.
        group_size: channels of one group of the 3x3 convolutions.
        conditioning: how labels enter: ``none``, ``concat``, ``projection`` or ``auxiliary``, as
            `ganzoo.nn.ConditioningHeads` says.
        categorical_code: values of a categorical code in z, for the loss infogan.
        continuous_codes: continuous codes in z, for the loss infogan.

    Returns:
        ``generator``: z (n, latent_dim), with conditioning also y (n,) -> images (n, channels,
        side, side) in [-1, 1].
        ``discriminator``: images, and y -> `ganzoo.nn.DiscriminatorOutput` with logits (n,).

    Raises:
        ArchitectureError: another size of image, an argument below 1, or groups that do not divide
            their channels.
    """
    image = data.image
    sides = _sides(image.height)
    halves = SMALLEST_BASE <= sides[0] <= LARGEST_BASE
    size_fits = 2 * SMALLEST_BASE <= image.height <= LARGEST and halves
    if image.height != image.width or not size_fits:
        raise ArchitectureError(
            f"architecture 'r3gan' cannot make images of {image}: it makes square ones of 8 to "
            f"{LARGEST} pixels a side that halve to between {SMALLEST_BASE} and {LARGEST_BASE}, "
            "such as 28, 32 or 64. Resize the data (--dataset.size 64, where the dataset has it), "
            "or take --architecture mlp."
        )
    counts = {
        "latent_dim": latent_dim,
        "width": width,
        "full_width_side": full_width_side,
        "blocks": blocks,
        "expansion": expansion,
        "group_size": group_size,
    }
    for name, count in counts.items():
        if count < 1:
            raise ArchitectureError(
                f"architecture 'r3gan' cannot be built with {name}={count}: it is at least 1. "
                f"--architecture.{name.replace('_', '-')} N"
            )
    stages = [
        _stage(side, width // _halvings(side, full_width_side), blocks, expansion, group_size)
        for side in sides
    ]
    conditions = ConditioningHeads(data, conditioning, categorical_code, continuous_codes)
    generator = Generator(latent_dim + conditions.classes, image.channels, stages)
    trunk = Trunk(image.channels + conditions.extra_channels, stages)
    features = stages[0].width
    # A bias would cancel in every difference of logits, which is all that RpGAN sees.
    last = init_linear(nn.Linear(features, 1, bias=False))
    return {
        "generator": conditions.generator(generator, latent_dim),
        "discriminator": conditions.discriminator(trunk, last, features),
    }


def _sides(side: int) -> list[int]:
    """Sides of the maps from the smallest to the image's.

    >>> _sides(28), _sides(32), _sides(30)
    ([7, 14, 28], [4, 8, 16, 32], [15, 30])
    """
    sides = [side]
    while sides[0] > LARGEST_BASE and sides[0] % 2 == 0:
        sides.insert(0, sides[0] // 2)
    return sides


def _halvings(side: int, full_width_side: int) -> int:
    """What the full width is divided by.

    >>> [_halvings(side, 32) for side in (16, 32, 48, 64, 256)]
    [1, 1, 2, 2, 8]
    """
    divisor = 1
    while side > divisor * full_width_side:
        divisor *= 2
    return divisor


def _stage(side: int, width: int, blocks: int, expansion: int, group_size: int) -> Stage:
    hidden = width * expansion
    if width < 1 or hidden % group_size:
        raise ArchitectureError(
            f"architecture 'r3gan' cannot be built: its maps of {side} pixels a side have {width} "
            f"channels, {expansion} times as many inside a block, and those are no groups of "
            f"{group_size}. Choose --architecture.width, --architecture.full-width-side or "
            "--architecture.group-size so that they are."
        )
    return Stage(side, width, hidden, hidden // group_size, blocks)
