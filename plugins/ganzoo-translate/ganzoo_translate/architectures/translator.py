"""The architectures ``translator`` and ``cyclegan``, with CycleGAN's networks.

"Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks" (Zhu et al.,
2017), https://arxiv.org/abs/1703.10593.
"""

from __future__ import annotations

from torch import nn

from ganzoo import DataSpec
from ganzoo_translate.architectures.patchgan import (
    GeneratorNorm,
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
    generator_norm: GeneratorNorm = "instance",
    patch_layers: int = 3,
    discriminator_norm: Norm = "instance",
) -> dict[str, nn.Module]:
    """CycleGAN's translator (Zhu et al., 2017) and a PatchGAN, for pairs of images.

    https://arxiv.org/abs/1703.10593, appendix 7.2; https://arxiv.org/abs/1611.07004, appendix
    6.1.2.

    Args:
        data: spec of pairs of images, any number of channels. Sides are multiples of 4, at least
            16.
        width: channels of the maps next to the image, in both networks.
        blocks: number of residual blocks; the paper has 6 for 128x128 and 9 for 256x256.
        generator_norm: ``instance`` as in the paper; ``instance-affine``, with a scale and a shift;
            or ``batch``, which uses the training's statistics in eval mode.
        patch_layers: number of halvings in the discriminator. With 3, the receptive field of a
            logit is 70x70 pixels.
        discriminator_norm: ``instance`` as in the paper, ``batch``, or ``none``.

    Returns:
        ``generator``: condition -> images, both (n, channels, height, width) in [-1, 1].
        ``discriminator``: images and condition -> `ganzoo.nn.DiscriminatorOutput` with
        logits (n, 1, rows, columns).

    Raises:
        ArchitectureError: the data has no pairs or an unsupported size, or an argument is out of
            range.
    """
    image, condition = data.image, condition_of("translator", data)
    _check("translator", data, width, blocks, patch_layers)
    channels = condition.channels + image.channels
    return {
        "generator": ResnetTranslator(
            condition.channels, image.channels, width, blocks, generator_norm
        ),
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
    """CycleGAN: a translator and a PatchGAN for each domain (Zhu et al., 2017).

    https://arxiv.org/abs/1703.10593, appendix 7.2.

    Args:
        data: spec of images of two domains, any number of channels. Sides are multiples of 4, at
            least 16.
        width: channels of the maps next to the image, in all networks.
        blocks: number of residual blocks; the paper has 6 for 128x128 and 9 for 256x256.
        patch_layers: number of halvings in the discriminators. With 3, the receptive field of a
            logit is 70x70 pixels.
        discriminator_norm: ``instance`` as in the paper, ``batch``, or ``none``.

    Returns:
        ``generator``: condition -> images, both (n, channels, height, width) in [-1, 1].
        ``reverse_generator``: images, as the input ``condition`` -> condition images.
        ``discriminator``: images -> `ganzoo.nn.DiscriminatorOutput` with logits
        (n, 1, rows, columns).
        ``reverse_discriminator``: condition images -> the same.

    Raises:
        ArchitectureError: the data has one domain or an unsupported size, or an argument is out of
            range.
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
