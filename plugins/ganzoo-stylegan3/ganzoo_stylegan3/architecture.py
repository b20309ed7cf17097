"""The architecture of StyleGAN3."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

from torch import nn

from ganzoo import DataSpec
from ganzoo.errors import ArchitectureError
from ganzoo_stylegan2.architectures.discriminator import Discriminator
from ganzoo_stylegan2.architectures.generator import Generator, LabelledGenerator
from ganzoo_stylegan2.architectures.mapping import Mapping as MappingNetwork
from ganzoo_stylegan3.frequencies import choose_widths, plan
from ganzoo_stylegan3.synthesis import LayerOptions, Synthesis

SIDES = (16, 32, 64, 128, 256, 512, 1024)
BASE = 4  # side of the discriminator's smallest map


def stylegan3(
    data: DataSpec,
    *,
    configuration: Literal["T", "R"] = "T",
    latent_dim: int = 512,
    style_dim: int = 512,
    mapping_layers: int = 2,
    width: int = 64,
    widest: int = 512,
    widths: tuple[int, ...] = (),
    discriminator_widths: tuple[int, ...] = (),
    layers: int = 14,
    critical_layers: int = 2,
    margin: int = 10,
    group: int = 4,
    clamp: float = 256.0,
    magnitude_memory: float = 0.999,
    conditioning: Literal["none", "mapping"] = "none",
    label_layers: int = 8,
    truncation: float = 1.0,
) -> dict[str, nn.Module]:
    """StyleGAN3 (Karras et al., 2021), https://arxiv.org/abs/2106.12423: alias-free generators.

    Args:
        data: square images with a side of 16, 32, 64, ..., 1024 pixels; any number of channels.
        configuration: ``T`` is equivariant to translations; ``R`` also to rotations, with kernels
            of 1x1, radially symmetric filters, and twice the channels in the generator.
        latent_dim: length of z.
        style_dim: length of w.
        mapping_layers: layers from z to w.
        width: channels of the discriminator's largest maps, which each halving of the side doubles,
            and of the generator's last layers; others have channels inversely proportional to their
            highest frequency.
        widest: upper bound of the channels.
        widths: channels of the generator's layers, from the first to the last, instead of `width`
            and `widest`.
        discriminator_widths: channels of the discriminator's maps, from the largest to the
            smallest, instead of `width` and `widest`.
        layers: layers of the synthesis network before the one that makes the image.
        critical_layers: number of layers at the end that keep all frequencies of the images.
        margin: samples of the maps beyond each border of the image.
        group: samples per group whose standard deviation the discriminator reads. With several
            processes, or gradient accumulation, choose a divisor of the samples in each part.
        clamp: limit of the absolute values after each convolution; 0 for none.
        magnitude_memory: decay of the moving average of the magnitudes of maps, per batch.
        conditioning: use of labels: ``none``, or ``mapping``: an embedding joins z, and the
            discriminator's logit is the product of its last layer with the output of a mapping
            network for labels.
        label_layers: layers of this mapping network.
        truncation: factor of the distance of w from its average in samples: 1 for no truncation;
            smaller values trade variety for quality. It has no effect on the training.

    Returns:
        ``generator``: z (n, latent_dim), with conditioning also y (n,) -> images (n, channels,
        side, side), in [-1, 1] in eval mode. The loss ``stylegan2`` uses its parts ``mapping``
        and ``synthesis``.
        ``discriminator``: that of StyleGAN2: images, and y -> `ganzoo.nn.DiscriminatorOutput` with
        logits (n,).

    Raises:
        ArchitectureError: the size of the images is not supported, labels are missing, or an
            argument is out of its range.
    """
    image, side = data.image, data.image.height
    if image.width != side or side not in SIDES:
        raise ArchitectureError(
            f"architecture 'stylegan3' does not support images of {image}: they must be square, "
            f"with a side of {', '.join(map(str, SIDES[:-1]))} or {SIDES[-1]} pixels. Resize the "
            "data (--dataset.size 64, if the dataset has this option), or use --architecture "
            "stylegan2."
        )
    _check_numbers(
        at_least_1=dict(
            latent_dim=latent_dim, style_dim=style_dim, mapping_layers=mapping_layers, width=width
        )
        | dict(widest=widest, widths=min(widths, default=1), group=group, label_layers=label_layers)
        | dict(discriminator_widths=min(discriminator_widths, default=1)),
        at_least_0=dict(critical_layers=critical_layers, margin=margin, clamp=clamp),
        fractions=dict(magnitude_memory=magnitude_memory, truncation=truncation),
    )
    if critical_layers >= layers:
        raise ArchitectureError(
            f"architecture 'stylegan3' cannot be built with critical_layers={critical_layers} of "
            f"layers={layers}: the first layer cannot be among them. Use --architecture.layers "
            f"{critical_layers + 1} or more."
        )
    if conditioning != "none" and data.classes < 2:
        raise ArchitectureError(
            f"conditioning {conditioning!r} needs labels of two classes or more, but the data has "
            f"{data.classes or 'none'}. Use a dataset with classes (a folder with a sub-folder "
            "for each class), or --architecture.conditioning none."
        )
    classes = data.classes if conditioning == "mapping" else 0
    rotation = configuration == "R"
    signals = plan(side, layers, critical_layers, margin)
    own = choose_widths(signals, *((2 * width, 2 * widest) if rotation else (width, widest)))
    halvings = int(math.log2(side / BASE))
    pyramid = [min(width * 2**halving, widest) for halving in range(halvings + 1)]
    kind = LabelledGenerator if classes else Generator
    return {
        "generator": kind(
            MappingNetwork(latent_dim, style_dim, mapping_layers, classes, embedding_dim=style_dim),
            Synthesis(
                signals,
                _replace("widths", own, widths),
                image.channels,
                style_dim,
                LayerOptions(1 if rotation else 3, magnitude_memory, clamp),
                radial=layers - critical_layers if rotation else 0,
            ),
            truncation,
        ),
        "discriminator": Discriminator(
            _replace("discriminator_widths", pyramid, discriminator_widths),
            (BASE, BASE),
            image.channels,
            group,
            clamp=clamp,
            classes=classes,
            label_layers=label_layers,
        ),
    }


def _check_numbers(
    at_least_1: Mapping[str, int],
    at_least_0: Mapping[str, float],
    fractions: Mapping[str, float],
) -> None:
    bounds: list[tuple[Mapping[str, float], float, float]] = [
        (at_least_1, 1.0, math.inf),
        (at_least_0, 0.0, math.inf),
        (fractions, 0.0, 1.0),
    ]
    for numbers, low, high in bounds:
        for name, number in numbers.items():
            if not low <= number <= high or number == math.inf:
                bound = f"at least {low:g}" if high == math.inf else "in [0, 1]"
                raise ArchitectureError(
                    f"architecture 'stylegan3' cannot be built with {name}={number}: it must be "
                    f"{bound}."
                )


def _replace(name: str, widths: list[int], explicit: tuple[int, ...]) -> list[int]:
    """Return explicit widths, if there are any."""
    if explicit and len(explicit) != len(widths):
        raise ArchitectureError(
            f"architecture 'stylegan3' has {len(widths)} maps for the argument {name}, which has "
            f"{len(explicit)} numbers: {', '.join(map(str, widths))} are those of the default."
        )
    return list(explicit) or widths
