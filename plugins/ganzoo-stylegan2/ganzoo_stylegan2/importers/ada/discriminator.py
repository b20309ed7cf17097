"""NVIDIA's discriminator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ganzoo.importers import Weights
from ganzoo_stylegan2.importers.ada.mapping import convert_layers
from ganzoo_stylegan2.importers.source import Source

KINDS = {"resnet": "residual", "skip": "skip", "orig": "plain"}


def convert_discriminator(
    source: Source, generator: Mapping[str, Any]
) -> tuple[dict[str, Any], Weights]:
    """Return the architecture's arguments for a discriminator, and its weights.

    Args:
        source: the discriminator.
        generator: the arguments for the generator, with which it shares some.

    Raises:
        ImportFileError: an option or a shape has no counterpart in the architecture.
    """
    kind = source.checkpoint.classes[source.name].last
    if kind != "Discriminator":
        raise source.refuse("the class", kind, "a Discriminator")
    source.check_filters(".resample_filter")
    *sides, _ = (2 ** (k + 2) for k in reversed(range(len(generator["widths"]))))
    blocks = [f"b{side}" for side in sides]
    architecture = source.value("architecture", [*blocks, "b4"])
    if architecture not in KINDS:
        raise source.refuse("architecture", architecture, f"one of {', '.join(KINDS)}")
    smaller = [*blocks[1:], "b4"] if architecture == "skip" else []
    images = {"from_image": f"{blocks[0]}.fromrgb"}
    images |= {f"from_smaller.{k}": f"{block}.fromrgb" for k, block in enumerate(smaller)}
    first = {f"blocks.{k}.first": f"{block}.conv0" for k, block in enumerate(blocks)}
    first["convolution"] = "b4.conv"
    second = {f"blocks.{k}.second": f"{block}.conv1" for k, block in enumerate(blocks)}
    layers = images | first | second
    _check(source, generator, list(layers.values()), list(first.values()))

    layers |= {"dense": "b4.fc", "last": "b4.out"}
    weights: Weights = {
        f"{name}.{part}": source.path(f"{layer}.{part}")
        for name, layer in layers.items()
        for part in ("weight", "bias")
    }
    if architecture == "resnet":
        for k, block in enumerate(blocks):
            weights[f"blocks.{k}.shortcut.weight"] = source.path(f"{block}.skip.weight")
    arguments = {"discriminator": KINDS[architecture], "group": _group(source)}
    if "conditioning" in generator:
        features = generator["widths"][-1]
        if (length := source.shape("b4.out.weight", 2)[0]) != features:
            raise source.refuse("cmap_dim", length, f"label vectors of length {features}")
        arguments["label_layers"], labels = convert_layers(source, "labels", features)
        weights |= labels
    return arguments, weights


def _check(
    source: Source, generator: Mapping[str, Any], layers: list[str], first: list[str]
) -> None:
    """Check the options that both networks must have in common.

    Args:
        source: the discriminator.
        generator: the arguments for the generator.
        layers: the convolutions.
        first: the first convolution of each map, from the largest map to the smallest.
    """
    source.expect("activation", [*layers, "b4.fc"], "lrelu")
    if (clamp := source.number("conv_clamp", layers) or 0.0) != generator["clamp"]:
        raise source.refuse("conv_clamp", clamp, f"the generator's, {generator['clamp']}")
    widths = tuple(source.shape(f"{layer}.weight", 4)[0] for layer in first)
    if widths != generator["widths"]:
        raise source.refuse("widths", widths, f"the generator's, {generator['widths']}")


def _group(source: Source) -> int:
    """Return the samples per group of the minibatch standard deviation."""
    source.expect("num_channels", ["b4.mbstd"], 1)
    group = source.number("group_size", ["b4.mbstd"])
    if group is None:
        raise source.refuse("mbstd_group_size", None, "groups of a fixed size")
    return int(group)
