"""CycleGAN's networks, for one direction and for both.

"Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks" (Zhu et al.,
2017), https://arxiv.org/abs/1703.10593.
"""

from __future__ import annotations

from torch import nn

from ganzoo import DataSpec
from ganzoo_translate.architectures.patchgan import (
    Norm,
    PairDiscriminator,
    PatchDiscriminator,
    check_patches,
)
from ganzoo_translate.architectures.resnet import ResnetTranslator, check_sides
from ganzoo_translate.architectures.sizes import check_counts, condition_of


def translator(
    data: DataSpec,
    *,
    width: int = 64,
    blocks: int = 9,
    patch_layers: int = 3,
    discriminator_norm: Norm = "instance",
) -> dict[str, nn.Module]:
    """CycleGAN's translator (Zhu et al., 2017) for pairs, with a PatchGAN that judges pairs.

    https://arxiv.org/abs/1703.10593, appendix 7.2; https://arxiv.org/abs/1611.07004, appendix
    6.1.2.

    Args:
        data: pairs of images, sides multiples of 4 from 16 up, any number of channels.
        width: channels of the maps next to the image, in both networks.
        blocks: residual blocks; the paper has 6 for 128x128 and 9 for 256x256.
        patch_layers: halvings before the discriminator's logits: with 3 each sees 70x70 pixels.
        discriminator_norm: ``instance`` as in the paper, ``batch``, or ``none``.

    Returns:
        ``generator``: condition (n, channels, height, width) in [-1, 1] -> images likewise.
        ``discriminator``: images and condition -> `ganzoo.nn.DiscriminatorOutput` with
        logits (n, 1, rows, columns).

    Raises:
        ArchitectureError: data without pairs or of another size, or an argument out of its range.
    """
    image, condition = data.image, condition_of("translator", data)
    _check("translator", data, width, blocks, patch_layers)
    channels = condition.channels + image.channels
    return {
        "generator": ResnetTranslator(condition.channels, image.channels, width, blocks),
        "discriminator": PairDiscriminator(channels, width, patch_layers, discriminator_norm),
    }


def cyclegan(
    data: DataSpec,
    *,
    width: int = 64,
    blocks: int = 9,
    patch_layers: int = 3,
    discriminator_norm: Norm = "instance",
) -> dict[str, nn.Module]:
    """Two translators and a PatchGAN for each domain (Zhu et al., 2017).

    https://arxiv.org/abs/1703.10593, appendix 7.2.

    Args:
        data: images of two domains, sides multiples of 4 from 16 up, any number of channels.
        width: channels of the maps next to the image, in all networks.
        blocks: residual blocks; the paper has 6 for 128x128 and 9 for 256x256.
        patch_layers: halvings before the discriminators' logits: with 3 each sees 70x70 pixels.
        discriminator_norm: ``instance`` as in the paper, ``batch``, or ``none``.

    Returns:
        ``generator``: condition (n, channels, height, width) in [-1, 1] -> images likewise.
        ``reverse_generator``: images, by the name of condition -> what they would be made from.
        ``discriminator``: images -> `ganzoo.nn.DiscriminatorOutput` with logits
        (n, 1, rows, columns).
        ``reverse_discriminator``: the same for what images are made from.

    Raises:
        ArchitectureError: data of one domain or of another size, or an argument out of its range.
    """
    image, condition = data.image, condition_of("cyclegan", data)
    _check("cyclegan", data, width, blocks, patch_layers)
    return {
        "generator": ResnetTranslator(condition.channels, image.channels, width, blocks),
        "reverse_generator": ResnetTranslator(image.channels, condition.channels, width, blocks),
        "discriminator": PatchDiscriminator(
            image.channels, width, patch_layers, discriminator_norm
        ),
        "reverse_discriminator": PatchDiscriminator(
            condition.channels, width, patch_layers, discriminator_norm
        ),
    }


def _check(name: str, data: DataSpec, width: int, blocks: int, patch_layers: int) -> None:
    check_counts(name, width=width, blocks=blocks, patch_layers=patch_layers)
    check_sides(name, data.image)
    check_patches(name, data.image, patch_layers)
