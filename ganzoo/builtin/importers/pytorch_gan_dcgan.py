"""The convolutional generator of PyTorch-GAN: upsampling and convolutions.

The same file may come from its dcgan, lsgan, dragan, began, ebgan and relativistic_gan, whose
generators have the same layers.
"""

from __future__ import annotations

import math

from ganzoo import DataSpec, ImageSpec
from ganzoo.builtin.importers.pytorch_gan import NORM_EPS, PROJECT, has_layers
from ganzoo.importers import (
    IGNORED_COUNTS,
    Checkpoint,
    Conversion,
    Importer,
    Layer,
    Weights,
    check_shapes,
    convert_batch_norm,
    layers_of,
)

FIRST = "l1.0"
NORMS = ("conv_blocks.0", "conv_blocks.3", "conv_blocks.7")
CONVOLUTIONS = ("conv_blocks.2", "conv_blocks.6", "conv_blocks.9")


class PytorchGanDcgan(Importer):
    """Converts a generator that enlarges maps by upsampling."""

    project = PROJECT
    marks = frozenset({"l1.0.weight", *(f"{layer}.weight" for layer in (*NORMS, *CONVOLUTIONS))})

    def recognises(self, checkpoint: Checkpoint) -> bool:
        """Return whether a file has exactly these layers."""
        kinds = dict.fromkeys(NORMS, "batch norm") | dict.fromkeys(CONVOLUTIONS, "convolution")
        return has_layers(checkpoint, kinds | {FIRST: "linear"})

    def convert(self, checkpoint: Checkpoint) -> Conversion:
        """Convert a file.

        Raises:
            ImportFileError: the shapes are not those of the architecture.
        """
        layers = {layer.path: layer for layer in layers_of(checkpoint)}
        shapes = {path: layer.shape for path, layer in layers.items()}
        units, latent_dim = shapes[FIRST]
        width, _, *_ = shapes["conv_blocks.6"]
        channels = shapes["conv_blocks.9"][0]
        base = math.isqrt(units // (2 * width))
        expected = {
            FIRST: (2 * width * base * base, latent_dim),
            "conv_blocks.0": (2 * width,),
            "conv_blocks.2": (2 * width, 2 * width, 3, 3),
            "conv_blocks.3": (2 * width,),
            "conv_blocks.6": (width, 2 * width, 3, 3),
            "conv_blocks.7": (width,),
            "conv_blocks.9": (channels, width, 3, 3),
        }
        check_shapes(checkpoint, "upsampling-dcgan", expected)
        side = 4 * base
        return Conversion(
            architecture="upsampling-dcgan",
            arguments={"latent_dim": latent_dim, "width": width, "norm_eps": NORM_EPS},
            data=DataSpec(ImageSpec(side, side, channels)),
            weights={"generator": _weights(layers)},
            ignored=IGNORED_COUNTS,
            options={"latent_dim": latent_dim, "img_size": side, "channels": channels},
        )


def _weights(layers: dict[str, Layer]) -> Weights:
    first, last = layers[FIRST], layers["conv_blocks.9"]
    weights: Weights = {f"layers.0.{part}": first.tensor(part) for part in ("weight", "bias")}
    weights |= {f"layers.9.{part}": last.tensor(part) for part in ("weight", "bias")}
    weights |= convert_batch_norm("layers.2", layers["conv_blocks.0"])
    for ours, convolution, norm in zip((3, 6), CONVOLUTIONS[:2], NORMS[1:], strict=True):
        layer = layers[convolution]
        weights[f"layers.{ours}.weight"] = layer.tensor("weight")
        weights |= convert_batch_norm(f"layers.{ours + 1}", layers[norm], layer.bias)
    return weights
