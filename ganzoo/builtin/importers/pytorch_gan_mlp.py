"""The multilayer perceptrons of PyTorch-GAN.

The same file may come from its gan, wgan, wgan_gp, wgan_div, softmax_gan and bgan, whose generators
have the same layers. That of cgan reads an embedding of the label, too.
"""

from __future__ import annotations

import itertools
import math
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganzoo import DataSpec, ImageSpec
from ganzoo.builtin.importers.pytorch_gan import NORM_EPS, PROJECT, has_layers
from ganzoo.errors import ImportFileError
from ganzoo.importers import (
    IGNORED_COUNTS,
    Checkpoint,
    Computed,
    Conversion,
    Importer,
    Weights,
    check_shapes,
    convert_batch_norm,
    layers_of,
)

FIRST, LAST = "model.0", "model.11"
HIDDEN = {"model.2": "model.3", "model.5": "model.6", "model.8": "model.9"}  # and their BatchNorm
LINEAR = (FIRST, *HIDDEN, LAST)
EMBEDDING = "label_emb"
SLOPE = 0.2


class PytorchGanMlp(Importer):
    """Converts a multilayer perceptron without labels."""

    project = PROJECT
    marks = frozenset(f"{layer}.weight" for layer in (*LINEAR, *HIDDEN.values()))

    def recognises(self, checkpoint: Checkpoint) -> bool:
        """Return whether a file has exactly these layers."""
        return has_layers(checkpoint, _KINDS)

    def convert(self, checkpoint: Checkpoint, *, shape: str = "") -> Conversion:
        """Convert a file.

        Args:
            checkpoint: the file.
            shape: height, width and channels of an image, such as ``28x28x1``. The file holds
                their product alone.

        Raises:
            ImportFileError: `shape` is missing or does not fit the file, or the layers are not
                those of the architecture.
        """
        latent_dim = checkpoint.tensors[f"{FIRST}.weight"].shape[1]
        return _convert(checkpoint, latent_dim, shape)


class PytorchGanCgan(Importer):
    """Converts a multilayer perceptron that reads a label.

    Its first layer reads an embedding of the label and z: W [E_y, z] = W_E E_y + W_z z. The
    architecture reads z and a one-hot label, so the columns of its weight are W_z and W_E E.
    """

    project = PROJECT
    marks = PytorchGanMlp.marks | {f"{EMBEDDING}.weight"}

    def recognises(self, checkpoint: Checkpoint) -> bool:
        """Return whether a file has exactly these layers."""
        return has_layers(checkpoint, _KINDS | {EMBEDDING: "embedding"})

    def convert(self, checkpoint: Checkpoint, *, shape: str = "") -> Conversion:
        """Convert a file.

        Args:
            checkpoint: the file.
            shape: height, width and channels of an image, such as ``28x28x1``. The file holds
                their product alone.

        Raises:
            ImportFileError: `shape` is missing or does not fit the file, or the layers are not
                those of the architecture.
        """
        embedding = f"{EMBEDDING}.weight"
        classes, size = checkpoint.tensors[embedding].shape
        latent_dim = checkpoint.tensors[f"{FIRST}.weight"].shape[1] - size
        if latent_dim < 1 or classes < 2:
            raise ImportFileError(
                f"{embedding} has shape {(classes, size)}, but {FIRST} reads "
                f"{latent_dim + size} numbers: a label and a latent. Get the file again."
            )
        return _convert(checkpoint, latent_dim, shape, classes)


_KINDS = dict.fromkeys(LINEAR, "linear") | dict.fromkeys(HIDDEN.values(), "batch norm")


def _convert(checkpoint: Checkpoint, latent_dim: int, shape: str, classes: int = 0) -> Conversion:
    """Convert a generator with these numbers of latents and classes."""
    layers = {layer.path: layer for layer in layers_of(checkpoint)}
    width, inputs = layers[FIRST].shape
    outputs = layers[LAST].shape[0]
    sizes = [inputs, width, 2 * width, 4 * width, 8 * width, outputs]
    shapes: dict[str, tuple[int, ...]] = {
        path: (above, below)
        for path, (below, above) in zip(LINEAR, itertools.pairwise(sizes), strict=True)
    }
    shapes |= {norm: shapes[layer][:1] for layer, norm in HIDDEN.items()}
    check_shapes(checkpoint, "mlp", shapes)
    image = _parse(shape, outputs)
    prefix = "trunk." if classes else ""
    weights: Weights = {}
    for path in LINEAR:
        ours = f"{prefix}{path.replace('model', 'layers')}"
        weights[f"{ours}.weight"] = f"{path}.weight"
        if path not in HIDDEN:
            weights[f"{ours}.bias"] = f"{path}.bias"
    for path, norm in HIDDEN.items():
        ours = f"{prefix}{norm.replace('model', 'layers')}"
        weights |= convert_batch_norm(ours, layers[norm], layers[path].bias)
    if classes:
        weights[f"{prefix}layers.0.weight"] = Computed(
            _read_labels, (f"{FIRST}.weight", f"{EMBEDDING}.weight")
        )
    return Conversion(
        architecture="mlp",
        arguments={
            "latent_dim": latent_dim,
            "width": width,
            "depth": len(HIDDEN) + 1,
            "growth": 2,
            "slope": SLOPE,
            "generator_norm": "batch",
            "norm_eps": NORM_EPS,
            "conditioning": "concat" if classes else "none",
        },
        data=DataSpec(image, classes=classes),
        weights={"generator": weights},
        ignored=IGNORED_COUNTS,
        options={"latent_dim": latent_dim, "img_shape": image.shape}
        | ({"n_classes": classes} if classes else {}),
    )


def _read_labels(weight: NDArray[Any], embedding: NDArray[Any]) -> NDArray[np.floating[Any]]:
    """Return the weight of z and a one-hot label, of one that reads an embedding and z."""
    size = embedding.shape[1]
    labels = weight[:, :size].astype(np.float64) @ embedding.T
    return np.concatenate([weight[:, size:], labels.astype(weight.dtype)], 1)


def _parse(shape: str, outputs: int) -> ImageSpec:
    """Return the images of a shape such as ``28x28x1``.

    Raises:
        ImportFileError: it is missing, or not that of so many numbers.
    """
    sides = ((math.isqrt(outputs // channels), channels) for channels in (1, 3))
    likely = [f"{side}x{side}x{c}" for side, c in sides if side * side * c == outputs]
    example = f"for example --shape {likely[0]}" if likely else "--shape HEIGHTxWIDTHxCHANNELS"
    match = re.fullmatch(r"([0-9]{1,4})x([0-9]{1,4})x([0-9]{1,4})", shape)
    numbers = tuple(map(int, match.groups())) if match else ()
    if math.prod(numbers) != outputs or not numbers:
        problem = f", which {shape!r} does not have" if shape else ""
        raise ImportFileError(
            f"it makes images of {outputs:,} numbers{problem}. Their height, width "
            f"and channels are not in the file. Pass {example}."
        )
    height, width, channels = numbers
    try:
        return ImageSpec(height, width, channels)
    except ValueError as error:
        raise ImportFileError(f"it cannot be imported: {error}.") from error
