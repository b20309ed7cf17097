"""NVIDIA's mapping networks, of latents and of labels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganzoo.importers import Computed, Weights
from ganzoo_stylegan2.importers.source import Source

RATE = 0.01  # lr_multiplier, `architectures.mapping.LEARNING_RATE`


def convert_mapping(source: Source) -> tuple[dict[str, Any], Weights]:
    """Return the architecture's arguments for the mapping network of a generator, and its weights.

    Raises:
        ImportFileError: an option or a shape has no counterpart in the architecture.
    """
    (style_dim,) = source.shape("mapping.w_avg", 1)
    latent_dim = source.shape("mapping.fc0.weight", 2)[1]
    arguments: dict[str, Any] = {"style_dim": style_dim}
    if source.has("mapping.embed.weight"):
        arguments["conditioning"] = "mapping"
        latent_dim -= style_dim  # the length of an embedding
    if latent_dim < 1:
        raise source.refuse("z_dim", latent_dim, "latents of one number or more")
    arguments["latent_dim"] = latent_dim
    arguments["mapping_layers"], weights = convert_layers(source, "mapping", style_dim)
    weights["mapping.average"] = source.path("mapping.w_avg")
    return arguments, weights


def count_classes(source: Source) -> int:
    """Return the number of classes of a generator, 0 for none.

    Raises:
        ImportFileError: it has labels of one class.
    """
    if not source.has("mapping.embed.weight"):
        return 0
    classes = source.shape("mapping.embed.weight", 2)[1]
    if classes == 1:
        raise source.refuse("c_dim", 1, "labels of two classes or more, or none")
    return classes


def convert_layers(source: Source, target: str, width: int) -> tuple[int, Weights]:
    """Return the number of fully connected layers of a mapping network, and its weights.

    Args:
        source: the network whose part ``mapping`` it is.
        target: path of the mapping network in the architecture.
        width: length of its output.

    Raises:
        ImportFileError: an option or a shape has no counterpart in the architecture.
    """
    weights: Weights = {}
    if source.has("mapping.embed.weight"):
        if (length := source.shape("mapping.embed.weight", 2)[0]) != width:
            raise source.refuse("embed_features", length, f"embeddings of length {width}")
        source.check_shape("mapping.embed.bias", (width,))
        names = source.paths("mapping.embed.weight", "mapping.embed.bias")
        weights[f"{target}.embedding.weight"] = Computed(_embed, names)
    layers = [f"mapping.fc{k}" for k in range(source.count("mapping.fc{}.weight"))]
    if not layers:
        raise source.refuse("num_layers", 0, "one layer or more")
    source.expect("activation", layers, "lrelu")
    for k, layer in enumerate(layers):
        outputs, inputs = source.shape(f"{layer}.weight", 2)
        if outputs != width:
            raise source.refuse("layer_features", outputs, f"layers of width {width}")
        rate = (source.number("weight_gain", [layer]) or 0.0) * math.sqrt(inputs)
        if not math.isclose(rate, RATE, rel_tol=1e-5):
            raise source.refuse("lr_multiplier", rate, str(RATE))
        for kind in ("weight", "bias"):
            weights[f"{target}.layers.{k}.{kind}"] = source.path(f"{layer}.{kind}")
    return len(layers), weights


def _embed(weight: NDArray[Any], bias: NDArray[Any]) -> NDArray[Any]:
    """Return the embeddings of all classes: an equalised linear layer of one-hot labels."""
    embedding: NDArray[Any] = weight.T / np.sqrt(np.float32(weight.shape[1])) + bias
    return embedding
