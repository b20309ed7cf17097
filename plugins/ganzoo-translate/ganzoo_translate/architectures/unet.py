"""pix2pix's networks.

"Image-to-Image Translation with Conditional Adversarial Networks" (Isola et al., 2016), appendix
6.1, https://arxiv.org/abs/1611.07004. Encoder C64-C128-C256-C512-C512-... down to one pixel, slope
0.2; decoder CD512-CD512-CD512-... back up, where each map is joined by the encoder's of its size.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

from ganzoo import DataSpec
from ganzoo.errors import ArchitectureError
from ganzoo.nn import init_normal
from ganzoo_translate.architectures.patchgan import (
    Norm,
    PairDiscriminator,
    check_patches,
    make_norm,
)
from ganzoo_translate.architectures.sizes import check_counts, condition_of

SMALLEST, LARGEST = 16, 256
MOST_WIDTHS = 8  # channels of the smallest maps, in units of `width`
DROPPED = 3  # maps of the decoder that have dropout, from the smallest up
LONGEST_LATENT = 65_536  # numbers that a model may draw for an image


def unet(
    data: DataSpec,
    *,
    width: int = 64,
    dropout: float = 0.5,
    test_dropout: bool = False,
    generator_norm: Literal["batch", "instance"] = "batch",
    patch_layers: int = 3,
    discriminator_norm: Norm = "batch",
) -> dict[str, nn.Module]:
    """U-Net and PatchGAN of pix2pix (Isola et al., 2016), https://arxiv.org/abs/1611.07004.

    Args:
        data: pairs of square images, 16, 32, 64, 128 or 256 pixels a side, any number of channels.
        width: channels of the maps next to the image, in both networks; each halving of the side
            doubles them, up to eight times.
        dropout: share of units that are dropped in the three smallest maps of the decoder.
        test_dropout: whether units are dropped after training too, so that the model draws one of
            several translations. The mask is then an input of the network, one number from N(0, 1)
            a unit, which is kept and doubled where the number is positive: that is dropout of 0.5.
        generator_norm: ``batch``, or ``instance``, which is what ``batch`` amounts to in training
            with one pair at a time.
        patch_layers: halvings before the discriminator's logits: with 3 each sees 70x70 pixels.
        discriminator_norm: ``batch`` as in the paper, ``instance``, or ``none``, which suits a
            penalty on the gradient of a single sample.

    Returns:
        ``generator``: condition (n, channels, side, side) in [-1, 1], with
        `test_dropout` also z (n, latent_dim) -> images (n, channels, side, side) in [-1, 1]. Its
        `latent_dim` is the number of units that may be dropped.
        ``discriminator``: images and condition -> `ganzoo.nn.DiscriminatorOutput` with
        logits (n, 1, rows, columns).

    Raises:
        ArchitectureError: data without pairs or of another size, an argument out of its range,
            `test_dropout` with another share than 0.5 or with more units than a latent may have.
    """
    image, condition = data.image, condition_of("unet", data)
    side = image.height
    if side != image.width or side & (side - 1) or not SMALLEST <= side <= LARGEST:
        raise ArchitectureError(
            f"architecture 'unet' cannot make images of {image}: it makes square ones of 16, 32, "
            "64, 128 or 256 pixels a side. --dataset.size 128, or --architecture translator."
        )
    check_counts("unet", width=width, patch_layers=patch_layers)
    check_patches("unet", image, patch_layers)
    if not 0 <= dropout < 1:
        raise ArchitectureError(
            f"architecture 'unet' cannot drop a share of {dropout}: it is at least 0 and below 1. "
            "--architecture.dropout 0.5"
        )
    if test_dropout and dropout != 0.5:
        raise ArchitectureError(
            f"architecture 'unet' cannot drop a share of {dropout} by the sign of its latents: "
            "with test_dropout it is 0.5. --architecture.dropout 0.5"
        )
    shape = condition.channels, image.channels, width, side, generator_norm
    generator = LatentUNet(*shape) if test_dropout else UNet(*shape, dropout)
    if isinstance(generator, LatentUNet) and generator.latent_dim > LONGEST_LATENT:
        raise ArchitectureError(
            f"architecture 'unet' of width={width} has {generator.latent_dim:,} units that may be "
            f"dropped, and a latent may have {LONGEST_LATENT:,}. --architecture.width 64"
        )
    channels = condition.channels + image.channels
    return {
        "generator": init_normal(generator),
        "discriminator": PairDiscriminator(channels, width, patch_layers, discriminator_norm),
    }


class Skipping(nn.Module):
    """An encoder to one pixel and a decoder whose maps are joined by the encoder's.

    Args:
        inputs: channels of the condition.
        outputs: channels of the image.
        width: channels of the maps next to the image.
        side: of both, a power of two.
        norm: normalisation of every map but the first and the smallest: a map of one pixel has
            no spread of its own.
    """

    def __init__(
        self, inputs: int, outputs: int, width: int, side: int, norm: Literal["batch", "instance"]
    ) -> None:
        super().__init__()
        stages = side.bit_length() - 1
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
        # (channels, side, side) of the maps that units are dropped from
        self.dropped = [
            (widths[stages - 2 - k], 2 ** (k + 1), 2 ** (k + 1))
            for k in range(min(DROPPED, stages - 1))
        ]

    def translate(self, condition: Tensor, drop: Callable[[int, Tensor], Tensor]) -> Tensor:
        """Return images in [-1, 1]; `drop` drops units of the k-th smallest map."""
        skips = []
        x = condition
        for layer in self.down:
            x = layer(x)
            skips.append(x)
        skips.pop()
        for k, layer in enumerate(self.up):
            x = layer(x)
            if k < len(self.dropped):
                x = drop(k, x)
            x = torch.cat([x.relu(), skips.pop()], 1)
        images: Tensor = self.last(x).tanh()
        return images


class UNet(Skipping):
    """condition -> images, with dropout while it is trained."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        width: int,
        side: int,
        norm: Literal["batch", "instance"],
        dropout: float,
    ) -> None:
        super().__init__(inputs, outputs, width, side, norm)
        self.dropout = nn.Dropout(dropout)

    def forward(self, condition: Tensor) -> Tensor:
        """Return images (n, channels, side, side) in [-1, 1]."""
        return self.translate(condition, lambda k, x: self.dropout(x))


class LatentUNet(Skipping):
    """condition and z -> images, with half of the units dropped as z says, always.

    Attributes:
        latent_dim: number of units that may be dropped.
    """

    def __init__(
        self, inputs: int, outputs: int, width: int, side: int, norm: Literal["batch", "instance"]
    ) -> None:
        super().__init__(inputs, outputs, width, side, norm)
        self.units = [channels * height * width for channels, height, width in self.dropped]
        self.latent_dim = sum(self.units)

    def forward(self, condition: Tensor, z: Tensor) -> Tensor:
        """Return images (n, channels, side, side) in [-1, 1]."""
        parts = torch.split(z, self.units, 1)

        def drop(k: int, x: Tensor) -> Tensor:
            kept = (parts[k] > 0).reshape(-1, *self.dropped[k])
            return torch.where(kept, 2.0 * x, 0.0)

        return self.translate(condition, drop)
