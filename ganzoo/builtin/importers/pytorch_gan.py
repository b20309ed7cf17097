"""What the importers of PyTorch-GAN share."""

from __future__ import annotations

from collections.abc import Mapping

from ganzoo.importers import Checkpoint, Layer, layers_of

PROJECT = "PyTorch-GAN, https://github.com/eriklindernoren/PyTorch-GAN"

# The project passes 0.8 to BatchNorm after the number of channels, which is the place of eps.
NORM_EPS = 0.8


def has_layers(checkpoint: Checkpoint, kinds: Mapping[str, str]) -> bool:
    """Return whether a file has exactly these layers, by path.

    Args:
        checkpoint: the file.
        kinds: kinds of layers as in `Layer.kind`, or ``embedding``. Linear layers and convolutions
            have a bias, an embedding has none.
    """
    return {layer.path: _kind(layer) for layer in layers_of(checkpoint)} == kinds


def _kind(layer: Layer) -> str:
    if layer.kind in ("linear", "convolution") and not layer.bias:
        return "embedding" if layer.kind == "linear" else "other"
    return layer.kind
