"""The architecture of StyleGAN2."""

from __future__ import annotations

import math
from typing import Literal

from torch import nn

from ganzoo import DataSpec
from ganzoo.errors import ArchitectureError
from ganzoo.nn import map_sizes
from ganzoo_stylegan2.architectures.discriminator import Discriminator, Kind
from ganzoo_stylegan2.architectures.generator import Generator, LabelledGenerator
from ganzoo_stylegan2.architectures.mapping import Mapping
from ganzoo_stylegan2.architectures.synthesis import Synthesis

LARGEST = 1024


def stylegan2(
    data: DataSpec,
    *,
    latent_dim: int = 512,
    style_dim: int = 512,
    mapping_layers: int = 8,
    width: int = 64,
    widest: int = 512,
    widths: tuple[int, ...] = (),
    group: int = 4,
    clamp: float = 0.0,
    discriminator: Kind = "residual",
    conditioning: Literal["none", "projection", "mapping"] = "none",
    label_layers: int = 8,
    output: Literal["linear", "tanh"] = "linear",
    truncation: float = 1.0,
) -> dict[str, nn.Module]:
    """StyleGAN2 (Karras et al., 2020), https://arxiv.org/abs/1912.04958, configuration F.

    Args:
        data: images with sides of 8 to 1024 pixels, any number of channels. The shorter side halves
            to between 4 and 7, such as 28, 32, 48 or 64, and the longer one as often, such as
            48x64.
        latent_dim: length of z.
        style_dim: length of w.
        mapping_layers: layers from z to w.
        width: channels of the largest maps; each halving of the side doubles them.
        widest: upper bound of the channels.
        widths: channels of the maps of both networks, from the largest to the smallest map,
            instead of `width` and `widest`.
        group: samples per group whose standard deviation the discriminator reads. With several
            processes, or gradient accumulation, choose a divisor of the samples in each part.
        clamp: limit of the absolute values after each convolution, such as 256 for half precision
            (ADA, Karras et al., 2020, https://arxiv.org/abs/2006.06676, appendix D); 0 for none.
        discriminator: ``residual`` blocks, as in the paper; ``skip``: each map adds features of
            the downsampled images; or ``plain``: neither.
        conditioning: use of labels: ``none``; ``projection``: one class embedding joins z, and
            another is multiplied with the discriminator's features; ``mapping``, as in ADA: an
            embedding of length `style_dim` joins z, and the discriminator's logit is the product
            of its last layer with the output of a mapping network for labels.
        label_layers: layers of this mapping network.
        output: last layer of the generator: ``linear``, as in the paper, clamped to [-1, 1] in
            eval mode; or ``tanh``, for images with large areas of exact black or white, which a
            linear layer does not reach.
        truncation: factor of the distance of w from its average in samples: 1 for no truncation;
            smaller values trade variety for quality. It has no effect on the training.

    Returns:
        ``generator``: z (n, latent_dim), with conditioning also y (n,) -> images (n, channels,
        height, width), in [-1, 1] in eval mode. The loss ``stylegan2`` uses its parts ``mapping``
        and ``synthesis`` for style mixing.
        ``discriminator``: images, and y -> `ganzoo.nn.DiscriminatorOutput` with logits (n,).

    Raises:
        ArchitectureError: the size of the images is not supported, labels are missing, or an
            argument is out of its range.
    """
    maps = map_sizes("stylegan2", data.image, LARGEST)
    counts = dict(latent_dim=latent_dim, style_dim=style_dim, mapping_layers=mapping_layers)
    counts |= dict(width=width, widest=widest, group=group, label_layers=label_layers)
    counts |= dict(widths=min(widths, default=1))
    if low := [f"{name}={value}" for name, value in counts.items() if value < 1]:
        raise ArchitectureError(
            f"architecture 'stylegan2' cannot be built with {', '.join(low)}: it must be at "
            "least 1."
        )
    if not 0 <= truncation <= 1:
        raise ArchitectureError(
            f"architecture 'stylegan2' cannot be built with truncation={truncation}: it must be "
            "in [0, 1]. Use --architecture.truncation 0.7, for example."
        )
    if conditioning != "none" and data.classes < 2:
        raise ArchitectureError(
            f"conditioning {conditioning!r} needs labels of two classes or more, but the data has "
            f"{data.classes or 'none'}. Use a dataset with classes (a folder with a sub-folder "
            "for each class), or --architecture.conditioning none."
        )
    if not 0 <= clamp < math.inf:
        raise ArchitectureError(
            f"architecture 'stylegan2' cannot be built with clamp={clamp}: it must be 0, for none, "
            "or above. Use --architecture.clamp 256, for example."
        )
    if widths and len(widths) != len(maps):
        raise ArchitectureError(
            f"architecture 'stylegan2' has {len(maps)} maps for images of {data.image}, but "
            f"widths has {len(widths)} numbers. Give the channels of each map, from the largest to "
            "the smallest."
        )
    classes = data.classes if conditioning != "none" else 0
    mapped = conditioning == "mapping"
    sizes = list(widths) or [min(width * 2**halving, widest) for halving in range(len(maps))]
    channels = data.image.channels
    kind = LabelledGenerator if classes else Generator
    embedding_dim = style_dim if mapped else latent_dim
    return {
        "generator": kind(
            Mapping(latent_dim, style_dim, mapping_layers, classes, embedding_dim),
            Synthesis(sizes[::-1], maps[0], channels, style_dim, output == "tanh", clamp),
            truncation,
        ),
        "discriminator": Discriminator(
            *(sizes, maps[0], channels, group, discriminator, clamp, classes),
            label_layers=label_layers if mapped else 0,
        ),
    }
