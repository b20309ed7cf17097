"""Checkpoints of pytorch_GAN_zoo's progressive GAN.

Its layers are those of "Progressive Growing of GANs for Improved Quality, Stability, and Variation"
(Karras et al., 2018), https://arxiv.org/abs/1710.10196, but biases are scaled as well:
(W x + b) c, where c = sqrt(2 / fan_in).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from math import prod, sqrt
from typing import Any, Literal

import numpy as np

from ganzoo import DataSpec, ImageSpec
from ganzoo.errors import ImportFileError
from ganzoo.importers import (
    Checkpoint,
    Computed,
    Conversion,
    Importer,
    Weights,
    count_parts,
    shape_of,
)

BASE = 4  # side of the smallest map
SUPPORTED = {"leakyReluLeak": 0.2, "categoryVectorDim": 0}
# The last layer of a generator, by the loss that it was trained with.
OUTPUTS = {"WGANGP": "linear", "Logistic": "linear", "MSE": "tanh", "DCGAN": "tanh"}
# Options that change a training alone, or whose values are in the shapes of the weights. Files
# before 2019 have `kInnerD` and `kInnerG`.
WITHOUT_EFFECT = frozenset(
    {"GDPP", "attribKeysOrder", "depthOtherScales", "depthScale0", "dimOutput", "epsilonD"}
    | {"initBiasToZero", "kInnerD", "kInnerG", "lambdaGP", "latentVectorDim", "learningRate"}
    | {"logisticGradReal", "noiseVectorDim", "weightConditionD", "weightConditionG"}
)
WITH_EFFECT = frozenset(
    {"alpha", "equalizedlR", "lossCriterion", "miniBatchStdDev", "perChannelNormalization"}
)
KNOWN = WITHOUT_EFFECT | WITH_EFFECT | SUPPORTED.keys()
DEVIATION = (
    "The discriminator reads the standard deviation over the batch; that of the original program "
    "reads it over groups of four images."
)


class PGANZoo(Importer):
    """Converts ``*_s*_i*.pt`` of its progressive GANs without labels."""

    project = "pytorch_GAN_zoo (https://github.com/facebookresearch/pytorch_GAN_zoo)"
    marks = frozenset(
        {
            "avgG.formatLayer.module.weight",
            "avgG.groupScale0.0.module.weight",
            "avgG.scaleLayers.0.0.module.weight",
            "avgG.toRGBLayers.0.module.weight",
        }
    )

    def convert(
        self,
        checkpoint: Checkpoint,
        *,
        network: Literal["avgG", "netG"] = "avgG",
        without_discriminator: bool = False,
    ) -> Conversion:
        """Convert a file.

        Args:
            checkpoint: the file.
            network: the generator: ``avgG``, with averaged weights, or ``netG``.
            without_discriminator: import the generator alone.

        Raises:
            ImportFileError: a tensor is missing, or the architecture lacks an option.
        """
        options = _read_options(checkpoint)
        alpha = _new_share(options["alpha"])
        output = OUTPUTS[options["lossCriterion"]]
        generator = checkpoint.under(network)
        scales = count_parts(generator, "scaleLayers.{}.0.module.weight")
        features, latent_dim = shape_of(generator, "formatLayer.module.weight", 2)
        paths = [f"scaleLayers.{k}.0.module.weight" for k in range(scales)]
        widths = (
            features // BASE**2,
            *(shape_of(generator, path, 4)[0] for path in paths),
        )
        last = f"toRGBLayers.{scales}"
        layers = {"first": "formatLayer", "smallest": "groupScale0.0", "to_image": last}
        for k in range(scales):
            layers |= {f"blocks.{k}.1": f"scaleLayers.{k}.0", f"blocks.{k}.3": f"scaleLayers.{k}.1"}
        if alpha < 1:
            layers["to_smaller_image"] = f"toRGBLayers.{scales - 1}"
        equalised = options["equalizedlR"]
        weights = {"generator": _weights(checkpoint, network, layers, equalised=equalised)}
        other = "netG" if network == "avgG" else "avgG"
        ignored = {f"{other}.*": f"another copy of the generator: --network {other}"}
        deviations = ["The generator clamps images to [-1, 1]."] * (output == "linear")
        grown = [f"{network}.toRGBLayers"]
        if without_discriminator or not checkpoint.under("netD").tensors:
            ignored["netD.*"] = "the discriminator: --without-discriminator"
        elif not options["miniBatchStdDev"]:
            ignored["netD.*"] = (
                "the discriminator, which lacks the deviation over the batch that the "
                "architecture's reads"
            )
        else:
            layers = _discriminator(scales, blends=alpha < 1)
            weights["discriminator"] = _weights(checkpoint, "netD", layers, equalised=equalised)
            deviations.append(DEVIATION)
            grown.append("netD.fromRGBLayers")
        ignored |= {
            f"{path}.{k}.*": "a layer of a smaller size, before the network grew"
            for path in grown
            for k in range(scales - (alpha < 1))
        }
        side = BASE * 2**scales
        return Conversion(
            architecture="pgan",
            arguments={
                "latent_dim": latent_dim,
                "widths": widths,
                "pixel_norm": options["perChannelNormalization"],
                "alpha": alpha,
                "output": output,
            },
            data=DataSpec(
                ImageSpec(side, side, shape_of(generator, f"{last}.module.weight", 4)[0])
            ),
            weights=weights,
            ignored=ignored,
            options=options,
            network=network,
            deviations=tuple(deviations),
        )


def _read_options(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return the options of the original program.

    Raises:
        ImportFileError: one is missing, is not known, or has a value that the architecture lacks.
    """
    config = checkpoint.under("config")
    if unknown := {name.partition(".")[0] for name in [*config.values, *config.classes]} - KNOWN:
        raise ImportFileError(
            f"its config has the options {', '.join(sorted(unknown))}, which may change the "
            "images and which architecture 'pgan' lacks."
        )
    for name, value in SUPPORTED.items():
        if config.values[name] != value:
            raise ImportFileError(
                f"its option {name} is {config.values[name]}. Architecture 'pgan' has {value}."
            )
    for name in ("equalizedlR", "miniBatchStdDev", "perChannelNormalization"):
        if not isinstance(config.values[name], bool):
            raise ImportFileError(f"its option {name} is not True or False. Get the file again.")
    if (loss := config.values["lossCriterion"]) not in OUTPUTS:
        raise ImportFileError(
            f"its option lossCriterion is {str(loss)[:20]}. The last layer of its generator is "
            f"known for {', '.join(OUTPUTS)} alone."
        )
    return dict(config.values)


def _new_share(alpha: Any) -> float:
    """Return the share of the largest side. The original's alpha is that of the smaller side."""
    if not isinstance(alpha, int | float) or not 0 <= alpha < 1:
        raise ImportFileError(
            f"its option alpha is {str(alpha)[:20]}, not a number in [0, 1): the largest side has "
            "no part in the images yet. Import a later checkpoint."
        )
    return 1.0 - alpha


def _discriminator(scales: int, *, blends: bool) -> dict[str, str]:
    """Return the layers of the discriminator by their names in the architecture.

    Args:
        scales: how many times the generator doubles the side.
        blends: whether the next smaller side has a part.
    """
    layers = {"trunk.from_image": f"fromRGBLayers.{scales}", "last": "decisionLayer"}
    layers |= {"trunk.smallest.1": "groupScaleZero.0", "trunk.smallest.4": "groupScaleZero.1"}
    for k in range(scales):
        theirs = f"scaleLayers.{scales - 1 - k}"
        layers |= {f"trunk.blocks.{k}.0": f"{theirs}.0", f"trunk.blocks.{k}.2": f"{theirs}.1"}
    if blends:
        layers["trunk.from_smaller_image"] = f"fromRGBLayers.{scales - 1}"
    return layers


def _weights(
    checkpoint: Checkpoint, network: str, layers: Mapping[str, str], *, equalised: bool
) -> Weights:
    """Return the weights of a network's layers."""
    weights: Weights = {}
    for ours, theirs in layers.items():
        weights |= _layer(checkpoint, ours, f"{network}.{theirs}", equalised=equalised)
    return weights


def _layer(checkpoint: Checkpoint, ours: str, theirs: str, *, equalised: bool) -> Weights:
    """Return weight and bias of a layer: (W x + b) c = c W x + c b, or W x + b."""
    names = {kind: f"{theirs}.module.{kind}" for kind in ("weight", "bias")}
    weight = checkpoint.tensors[names["weight"]]
    if not weight.size:
        raise ImportFileError(f"{names['weight']} is empty. Get the file again.")
    constant = sqrt(2 / prod(weight.shape[1:]))
    scales: Mapping[str, float] = (
        {"weight": 1.0, "bias": constant} if equalised else {"weight": 1 / constant, "bias": 1.0}
    )
    return {
        f"{ours}.{kind}": Computed(partial(np.multiply, scales[kind]), (name,))
        for kind, name in names.items()
    }
