"""NVIDIA's generator."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ganzoo.importers import Computed, Weights
from ganzoo_stylegan2.importers.ada.mapping import convert_mapping
from ganzoo_stylegan2.importers.source import Source


def convert_generator(source: Source) -> tuple[dict[str, Any], Weights]:
    """Return the architecture's arguments for a generator, and its weights.

    Raises:
        ImportFileError: an option or a shape has no counterpart in the architecture.
    """
    arguments, weights = convert_mapping(source)
    source.check_filters(".resample_filter")
    sides = [4]
    while source.has(f"synthesis.b{2 * sides[-1]}.torgb.weight"):
        sides.append(2 * sides[-1])
    blocks = {side: f"synthesis.b{side}" for side in sides}
    layers = {"synthesis.first": (4, f"{blocks[4]}.conv1")}
    for stage, side in enumerate(sides[1:]):
        layers[f"synthesis.up_layers.{stage}"] = side, f"{blocks[side]}.conv0"
        layers[f"synthesis.layers.{stage}"] = side, f"{blocks[side]}.conv1"
    images = [f"{block}.torgb" for block in blocks.values()]
    convolutions = [name for _, name in layers.values()]
    source.expect("architecture", blocks.values(), "skip")
    source.expect("activation", convolutions, "lrelu")
    clamp = source.number("conv_clamp", convolutions + images)
    widths = [source.shape(f"{image}.weight", 4)[1] for image in images]

    for stage, image in enumerate(images):
        weights |= _modulated(source, f"synthesis.to_image.{stage}", image)
    for name, (side, layer) in layers.items():
        weights |= _modulated(source, name, layer) | _noise(source, name, layer, side)
    constant = source.paths(f"{blocks[4]}.const")
    weights["synthesis.constant"] = Computed(lambda constant: constant[None], constant)
    return arguments | {"widths": tuple(widths[::-1]), "clamp": clamp or 0.0}, weights


def _modulated(source: Source, name: str, layer: str) -> Weights:
    return {
        f"{name}.convolution.weight": source.path(f"{layer}.weight"),
        f"{name}.convolution.style.weight": source.path(f"{layer}.affine.weight"),
        f"{name}.convolution.style.bias": source.path(f"{layer}.affine.bias"),
        f"{name}.bias": source.path(f"{layer}.bias"),
    }


def _noise(source: Source, name: str, layer: str, side: int) -> Weights:
    if source.value("use_noise", [layer]):
        return {
            f"{name}.noise": source.path(f"{layer}.noise_const"),
            f"{name}.noise_strength": source.path(f"{layer}.noise_strength"),
        }
    return {
        f"{name}.noise": Computed(partial(np.zeros, (side, side), np.float32)),
        f"{name}.noise_strength": Computed(partial(np.zeros, (), np.float32)),
    }
