"""pix2pix's networks.

"Image-to-Image Translation with Conditional Adversarial Networks" (Isola et al., 2016), appendix
6.1, https://arxiv.org/abs/1611.07004. Encoder C64-C128-C256-C512-C512-... down to one pixel, slope
0.2; decoder CD512-CD512-CD512-... back up, with skip connections between maps of the same size.
Rectangles, which the paper does not have, end in a few pixels, such as 1x2 or 3x4.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor, nn

from ganzoo import DataSpec, ImageSpec
from ganzoo.errors import ArchitectureError
from ganzoo.nn import init_normal
from ganzoo_translate.architectures.patchgan import (
    GeneratorNorm,
    Norm,
    PairDiscriminator,
    check_patches,
    make_norm,
)
from ganzoo_translate.architectures.sizes import check_counts, condition_of

SMALLEST, LARGEST = 16, 256  # of the shorter side
LEAST_HALVINGS = 4
LARGEST_BASE = 7  # maximum of the shorter side of the smallest map
MOST_WIDTHS = 8  # maximum channels of a map, in units of `width`
DROPPED = 3  # maps of the decoder with dropout, from the smallest up
LONGEST_LATENT = 65_536  # maximum length of a model's latent


def unet(
    data: DataSpec,
    *,
    width: int = 64,
    dropout: float = 0.5,
    test_dropout: bool = False,
    generator_norm: GeneratorNorm = "batch",
    relu_skips: bool = False,
    patch_layers: int = 3,
    discriminator_norm: Norm = "batch",
) -> dict[str, nn.Module]:
    """U-Net and PatchGAN of pix2pix (Isola et al., 2016), https://arxiv.org/abs/1611.07004.

    Args:
        data: spec of pairs of images, any number of channels: squares of 16, 32, 64, 128 or 256
            pixels, as in the paper, or other sizes whose sides halve together four times or more,
            until the shorter one, of 16 to 256 pixels, has 1 to 7: 64x128, 96x128, 96x96.
        width: channels of the maps next to the image, in both networks. They double each time the
            side is halved, up to 8 times this number.
        dropout: dropout probability in the three smallest maps of the decoder, 0 to below 1.
        test_dropout: apply dropout after training too, so that the model gives different
            translations of one image. The latent z then determines the mask: a unit is kept and
            doubled if its entry of z, which is N(0, 1), is positive. This is dropout of 0.5.
        generator_norm: ``batch``, which uses the training's statistics in eval mode (the paper
            uses those of the test batch); ``instance``, which is the same as ``batch`` in
            training with a batch size of 1, without its scale and shift; or ``instance-affine``,
            with them.
        relu_skips: apply ReLU to the maps of the skip connections and to the smallest map, as the
            authors' programs do. By default, they are as the encoder's LeakyReLU returns them.
        patch_layers: number of halvings in the discriminator. With 3, the receptive field of a
            logit is 70x70 pixels.
        discriminator_norm: ``batch`` as in the paper, ``instance``, or ``none``, which suits
            gradient penalties.

    Returns:
        ``generator``: condition (n, channels, height, width) in [-1, 1], with `test_dropout` also z
        (n, latent_dim) -> images (n, channels, height, width) in [-1, 1]. `latent_dim` is the
        number of units with dropout.
        ``discriminator``: images and condition -> `ganzoo.nn.DiscriminatorOutput` with
        logits (n, 1, rows, columns).

    Raises:
        ArchitectureError: the data has no pairs or an unsupported size; an argument is out of
            range; or `test_dropout` is used with a dropout other than 0.5 or with too many units.
    """
    image, condition = data.image, condition_of("unet", data)
    halvings, base = _halve(image)
    check_counts("unet", width=width, patch_layers=patch_layers)
    check_patches("unet", image, patch_layers)
    if not 0 <= dropout < 1:
        raise ArchitectureError(
            f"architecture 'unet' cannot use dropout={dropout}: it must be at least 0 and below 1. "
            "Use for example --architecture.dropout 0.5."
        )
    if test_dropout and dropout != 0.5:
        raise ArchitectureError(
            f"architecture 'unet' cannot use dropout={dropout} with test_dropout: the sign of the "
            "latent drops half of the units. Use --architecture.dropout 0.5."
        )
    shape = condition.channels, image.channels, width, halvings, base, generator_norm, relu_skips
    generator = LatentUNet(*shape) if test_dropout else UNet(*shape, dropout)
    if isinstance(generator, LatentUNet) and generator.latent_dim > LONGEST_LATENT:
        raise ArchitectureError(
            f"architecture 'unet' with width={width} and test_dropout needs a latent of length "
            f"{generator.latent_dim:,}, but at most {LONGEST_LATENT:,} is possible. Use a smaller "
            "width, for example --architecture.width 64."
        )
    channels = condition.channels + image.channels
    return {
        "generator": init_normal(generator),
        "discriminator": PairDiscriminator(channels, width, patch_layers, discriminator_norm),
    }


def _halve(image: ImageSpec) -> tuple[int, tuple[int, int]]:
    """Return how often both sides can be halved, and height and width of the smallest map.

    Raises:
        ArchitectureError: the size is not supported.
    """
    common = math.gcd(image.height, image.width)
    halvings = (common & -common).bit_length() - 1
    base = image.height >> halvings, image.width >> halvings
    shorter = min(image.height, image.width)
    fits = halvings >= LEAST_HALVINGS and min(base) <= LARGEST_BASE
    if not fits or not SMALLEST <= shorter <= LARGEST:
        raise ArchitectureError(
            f"architecture 'unet' cannot generate images of {image}: both sides must halve "
            f"{LEAST_HALVINGS} times or more, until the shorter one, of {SMALLEST} to {LARGEST} "
            f"pixels, has at most {LARGEST_BASE}, such as 128x128, 64x128 or 96x128. Use "
            "--dataset.size 128, or --architecture translator."
        )
    return halvings, base


class SkipConnections(nn.Module):
    """An encoder down to one pixel, or a few, and a decoder, with skip connections.

    It reads images of one size. At others, the smallest map would have another number of pixels,
    which none had in training, and the images get blots.

    Args:
        inputs: channels of the condition.
        outputs: channels of the image.
        width: channels of the maps next to the image.
        stages: number of halvings.
        base: height and width of the smallest map.
        norm: normalisation of all maps except the first and the smallest. The smallest of square
            images has one pixel, whose variance is 0.
        relu_skips: apply ReLU to the maps that the decoder reads from the encoder.
    """

    # Networks for two sides have the same layers next to the image.
    aligned_at: ClassVar = {"down": "start", "up": "end"}

    def __init__(
        self,
        inputs: int,
        outputs: int,
        width: int,
        stages: int,
        base: tuple[int, int],
        norm: GeneratorNorm,
        relu_skips: bool,
    ) -> None:
        super().__init__()
        self.relu_skips = relu_skips
        widths = [min(2**stage, MOST_WIDTHS) * width for stage in range(stages)]
        self.down = nn.ModuleList()
        for stage, (below, above) in enumerate(itertools.pairwise([inputs, *widths])):
            bare = stage in (0, stages - 1)
            layers: list[nn.Module] = [nn.Conv2d(below, above, 4, 2, 1, bias=bare)]
            layers += [] if bare else [make_norm(norm, above)]
            self.down.append(nn.Sequential(*layers, nn.LeakyReLU(0.2)))
        self.up = nn.ModuleList()
        for stage in range(stages - 1, 0, -1):
            joined = widths[stage] * (1 if stage == stages - 1 else 2)
            above = widths[stage - 1]
            self.up.append(
                nn.Sequential(
                    nn.ConvTranspose2d(joined, above, 4, 2, 1, bias=False), make_norm(norm, above)
                )
            )
        self.last = nn.ConvTranspose2d(2 * widths[0], outputs, 4, 2, 1)
        # (channels, height, width) of the maps with dropout
        self.dropped = [
            (widths[stages - 2 - k], base[0] * 2 ** (k + 1), base[1] * 2 ** (k + 1))
            for k in range(min(DROPPED, stages - 1))
        ]

    def translate(self, condition: Tensor, drop: Callable[[int, Tensor], Tensor]) -> Tensor:
        """Return images in [-1, 1]. ``drop(k, x)`` applies dropout to the k-th smallest map."""
        skips = []
        x = condition
        for layer in self.down:
            x = layer(x)
            skips.append(x)
        if self.relu_skips:
            skips = [skip.relu() for skip in skips]
        x = skips.pop()
        for k, layer in enumerate(self.up):
            x = layer(x)
            if k < len(self.dropped):
                x = drop(k, x)
            x = torch.cat([x.relu(), skips.pop()], 1)
        images: Tensor = self.last(x).tanh()
        return images


class UNet(SkipConnections):
    """A U-Net: condition -> images, with dropout in training."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        width: int,
        stages: int,
        base: tuple[int, int],
        norm: GeneratorNorm,
        relu_skips: bool,
        dropout: float,
    ) -> None:
        super().__init__(inputs, outputs, width, stages, base, norm, relu_skips)
        self.dropout = nn.Dropout(dropout)

    def forward(self, condition: Tensor) -> Tensor:
        """Return images (n, channels, height, width) in [-1, 1]."""
        return self.translate(condition, lambda k, x: self.dropout(x))


class LatentUNet(SkipConnections):
    """A U-Net whose latent is a dropout mask: condition and z -> images.

    Attributes:
        latent_dim: number of units with dropout.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        width: int,
        stages: int,
        base: tuple[int, int],
        norm: GeneratorNorm,
        relu_skips: bool,
    ) -> None:
        super().__init__(inputs, outputs, width, stages, base, norm, relu_skips)
        self.units = [channels * height * width for channels, height, width in self.dropped]
        self.latent_dim = sum(self.units)

    def forward(self, condition: Tensor, z: Tensor) -> Tensor:
        """Return images (n, channels, height, width) in [-1, 1]."""
        parts = torch.split(z, self.units, 1)

        def drop(k: int, x: Tensor) -> Tensor:
            mask = (parts[k] > 0).reshape(-1, *self.dropped[k])
            return torch.where(mask, 2.0 * x, 0.0)

        return self.translate(condition, drop)
