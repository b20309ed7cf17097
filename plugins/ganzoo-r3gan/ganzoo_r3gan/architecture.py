"""The architecture of R3GAN.

"The GAN is dead; long live the GAN! A Modern GAN Baseline" (Huang et al., 2024), section 4,
https://arxiv.org/abs/2501.05441.
"""

from __future__ import annotations

import math
from typing import Literal

from torch import nn

from ganzoo import DataSpec
from ganzoo.errors import ArchitectureError
from ganzoo.nn import Conditioning, ConditioningHeads, map_sizes, map_widths
from ganzoo_r3gan.blocks import Stage, init_linear
from ganzoo_r3gan.networks import Generator, NoLogit, Trunk
from ganzoo_r3gan.resampling import Resampling

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
    resampling: Resampling = "filter",
    image_biases: bool = False,
    widths: tuple[int, ...] = (),
    groups: tuple[int, ...] = (),
    output: Literal["linear", "tanh"] = "tanh",
    conditioning: Conditioning = "none",
    unconditional_logit: bool = False,
    categorical_code: int = 0,
    continuous_codes: int = 0,
) -> dict[str, nn.Module]:
    """R3GAN, configuration E (Huang et al., 2024), https://arxiv.org/abs/2501.05441.

    The defaults are those of the paper for 32 to 256 pixels, except that a tanh bounds the images,
    and that a one-hot label is concatenated to z without an embedding of its own. ``projection``
    is the paper's use of labels in the discriminator.

    Args:
        data: images with sides of 8 to 256 pixels, any number of channels. The shorter side halves
            to between 4 and 7, such as 28, 32, 48 or 64, and the longer one as often, such as
            48x64.
        latent_dim: length of z.
        width: channels of the maps with up to `full_width_side` pixels per side.
        full_width_side: shorter side in pixels; each doubling beyond it halves the channels.
        blocks: residual blocks per side, in each network.
        expansion: channels inside a block, as a multiple of those outside.
        group_size: channels per group of the 3x3 convolutions.
        resampling: ``filter`` is (1, 3, 3, 1) with zeros outside the map, as in the paper;
            ``mean`` halves by means of 2x2 pixels, and doubles bilinearly with a constant
            continuation beyond the border.
        image_biases: add biases to the convolutions from and to images; the paper has none.
        widths: channels of the maps by side, from the smallest, in place of those that follow from
            `width` and `full_width_side`.
        groups: groups of the 3x3 convolutions by side, from the smallest, in place of those that
            follow from `group_size`.
        output: last layer of the generator: ``tanh``, or ``linear``, as in the paper, clamped to
            [-1, 1] in eval mode.
        conditioning: use of labels: ``none``, ``concat``, ``projection`` or ``auxiliary``, see
            `ganzoo.nn.ConditioningHeads`.
        unconditional_logit: with ``projection``, add a logit that does not depend on the label,
            as other architectures do; in the paper, the logit is the product of an embedding of
            the label with a linear map of the features.
        categorical_code: number of values of a categorical code in z, for the loss infogan.
        continuous_codes: number of continuous codes in z, for the loss infogan.

    Returns:
        ``generator``: z (n, latent_dim), with conditioning also y (n,) -> images (n, channels,
        height, width), in [-1, 1] in eval mode.
        ``discriminator``: images, and y -> `ganzoo.nn.DiscriminatorOutput` with logits (n,).

    Raises:
        ArchitectureError: the size of the images is not supported, an argument is below 1, `widths`
            or `groups` has another number of sides, or the groups do not divide the channels.
    """
    image = data.image
    sizes = map_sizes("r3gan", image, LARGEST)
    sides = tuple(map(min, sizes))
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
                f"architecture 'r3gan' cannot be built with {name}={count}: it must be at least 1. "
                f"Use --architecture.{name.replace('_', '-')} N."
            )
    for name, values in {"widths": widths, "groups": groups}.items():
        if values and (len(values) != len(sides) or min(values) < 1):
            raise ArchitectureError(
                f"architecture 'r3gan' cannot be built with {name}={values}: it needs a number of "
                f"at least 1 for each of the sides {', '.join(map(str, sides))}. Use "
                f"--architecture.{name} {' '.join('N' * len(sides))}, or leave it out."
            )
    widths = widths or map_widths(sides, width, full_width_side)
    groups = groups or tuple(_groups(w * expansion, group_size) for w in widths)
    stages = [
        _stage(*values, blocks, expansion) for values in zip(sizes, widths, groups, strict=True)
    ]
    conditions = ConditioningHeads(data, conditioning, categorical_code, continuous_codes)
    generator = Generator(
        latent_dim + conditions.classes,
        image.channels,
        stages,
        resampling,
        image_bias=image_biases,
        bounded=output == "tanh",
    )
    product_alone = conditioning == "projection" and not unconditional_logit
    trunk = Trunk(
        image.channels + conditions.extra_channels,
        stages,
        resampling,
        image_bias=image_biases,
        linear=product_alone,
    )
    features = stages[0].width
    # No bias: it would cancel in the differences of logits, and RpGAN uses only these.
    last = NoLogit() if product_alone else init_linear(nn.Linear(features, 1, bias=False))
    discriminator = conditions.discriminator(trunk, last, features)
    if product_alone and discriminator.projection is not None:
        std = 1 / math.sqrt(features * conditions.classes)
        nn.init.normal_(discriminator.projection.weight, 0.0, std)
    return {
        "generator": conditions.generator(generator, latent_dim),
        "discriminator": discriminator,
    }


def _groups(channels: int, size: int) -> int:
    """Return the number of groups with `size` channels; 0 if they do not divide the channels.

    >>> _groups(32, 16), _groups(24, 16)
    (2, 0)
    """
    return 0 if channels % size else channels // size


def _stage(size: tuple[int, int], width: int, groups: int, blocks: int, expansion: int) -> Stage:
    hidden = width * expansion
    if width < 1 or groups < 1 or hidden % groups:
        raise ArchitectureError(
            f"architecture 'r3gan' cannot be built: its maps of {size[0]}x{size[1]} pixels have "
            f"{width} channels, {hidden} inside a block, and their groups do not divide these. "
            "Change --architecture.width, --architecture.full-width-side, --architecture.widths, "
            "--architecture.group-size or --architecture.groups."
        )
    return Stage(size, width, hidden, groups, blocks)
