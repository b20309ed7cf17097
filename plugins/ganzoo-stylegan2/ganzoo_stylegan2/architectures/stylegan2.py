"""Style-based networks, as an architecture."""

from __future__ import annotations

from typing import Literal

from torch import nn

from ganzoo import DataSpec
from ganzoo.errors import ArchitectureError
from ganzoo_stylegan2.architectures.discriminator import Discriminator
from ganzoo_stylegan2.architectures.generator import Generator, LabelledGenerator
from ganzoo_stylegan2.architectures.mapping import Mapping
from ganzoo_stylegan2.architectures.synthesis import Synthesis

SMALLEST, LARGEST = 8, 1024
SMALLEST_BASE, LARGEST_BASE = 4, 7  # side of the smallest map


def stylegan2(
    data: DataSpec,
    *,
    latent_dim: int = 512,
    style_dim: int = 512,
    mapping_layers: int = 8,
    width: int = 64,
    widest: int = 512,
    group: int = 4,
    conditioning: Literal["none", "projection"] = "none",
    output: Literal["linear", "tanh"] = "linear",
    truncation: float = 1.0,
) -> dict[str, nn.Module]:
    """StyleGAN2 (Karras et al., 2020), https://arxiv.org/abs/1912.04958, configuration F.

    Args:
        data: the images, square, of 8 to 1024 pixels a side that halve to between 4 and 7: 28, 32,
            48, 64 and so on; any number of channels.
        latent_dim: length of z.
        style_dim: length of w.
        mapping_layers: layers from z to w.
        width: channels of the maps of the image's side; each halving of the side doubles them.
        widest: channels that no map has more of.
        group: samples that the discriminator compares with each other. With several processes,
            or parts of a batch, it is best a divisor of what each holds.
        conditioning: how labels enter: ``none``, or ``projection``: a class's vector joins z, and
            another is multiplied with the discriminator's features.
        output: what images come from: ``linear``, the paper's, cut off at -1 and 1 after training;
            ``tanh`` for images that are black or white in most places, which a linear layer meets
            nowhere exactly, as a discriminator soon sees.
        truncation: what is left of the distance between w and its average in images that are
            sampled: 1 all of it, 0 none, in between fewer kinds of images and better ones. Training
            does not depend on it.

    Returns:
        ``generator``: z (n, latent_dim), with conditioning also y (n,) -> images (n, channels,
        side, side), in [-1, 1] after training. Its parts ``mapping`` and ``synthesis`` are what
        the loss ``stylegan2`` mixes styles by.
        ``discriminator``: images, and y -> `ganzoo.nn.DiscriminatorOutput` with logits (n,).

    Raises:
        ArchitectureError: another size of image, labels that are not there, or an argument out of
            its range.
    """
    base, doublings = _check(data)
    counts = dict(latent_dim=latent_dim, style_dim=style_dim, mapping_layers=mapping_layers)
    counts |= dict(width=width, widest=widest, group=group)
    if low := [f"{name}={value}" for name, value in counts.items() if value < 1]:
        raise ArchitectureError(
            f"architecture 'stylegan2' cannot be built with {', '.join(low)}: at least 1."
        )
    if not 0 <= truncation <= 1:
        raise ArchitectureError(
            f"architecture 'stylegan2' cannot be built with truncation={truncation}: it is 0 to 1. "
            "--architecture.truncation 0.7, for example."
        )
    if conditioning != "none" and data.classes < 2:
        raise ArchitectureError(
            f"conditioning {conditioning!r} needs labels of two classes or more, and the data has "
            f"{data.classes or 'none'}. Choose a dataset with classes (a folder with a sub-folder "
            "for each), or --architecture.conditioning none."
        )
    classes = data.classes if conditioning != "none" else 0
    widths = [min(width * 2**halvings, widest) for halvings in range(doublings + 1)]
    channels = data.image.channels
    kind = LabelledGenerator if classes else Generator
    return {
        "generator": kind(
            Mapping(latent_dim, style_dim, mapping_layers, classes),
            Synthesis(widths[::-1], base, channels, style_dim, squash=output == "tanh"),
            truncation,
        ),
        "discriminator": Discriminator(widths, base, channels, group, classes),
    }


def _check(data: DataSpec) -> tuple[int, int]:
    """Return the side of the smallest map, and how often it doubles."""
    image = data.image
    base, doublings = image.height, 0
    while base > LARGEST_BASE and base % 2 == 0:
        base, doublings = base // 2, doublings + 1
    fits = SMALLEST <= image.height <= LARGEST and SMALLEST_BASE <= base <= LARGEST_BASE
    if image.height != image.width or not fits:
        raise ArchitectureError(
            f"architecture 'stylegan2' cannot make images of {image}: it makes square ones of "
            f"{SMALLEST} to {LARGEST} pixels a side that halve to between {SMALLEST_BASE} and "
            f"{LARGEST_BASE}, such as 28, 32 or 64. Resize the data (--dataset.size 64, where the "
            "dataset has it), or take --architecture mlp."
        )
    return base, doublings
