"""The layers of a network, for importers that know them by their order and shapes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ganzoo.errors import ImportFileError
from ganzoo.importers.checkpoint import Checkpoint
from ganzoo.importers.importer import Computed, Weights
from ganzoo.importers.values import StoredTensor

Kind = Literal["convolution", "linear", "batch norm", "statistics", "other"]

_STATISTICS = {"running_mean", "running_var"}
_COUNT = "num_batches_tracked"  # absent in files of torch before 0.4.1

IGNORED_COUNTS = {f"*.{_COUNT}": "a count of batches, which BatchNorm does not use"}
"""What `Conversion.ignored` needs for `convert_batch_norm`."""


@dataclass(frozen=True)
class Layer:
    """The tensors whose paths differ in their last part alone.

    Attributes:
        path: the part of their paths that is equal.
        tensors: the tensors by the last part of their paths, such as ``weight``.
    """

    path: str
    tensors: Mapping[str, StoredTensor]

    @property
    def kind(self) -> Kind:
        """The kind of layer: ``statistics`` is a normalisation without scale and shift."""
        parts = self.tensors.keys()
        if not all(tensor.size for tensor in self.tensors.values()):
            return "other"
        if parts in ({"weight"}, {"weight", "bias"}):
            dimensions = len(self.tensors["weight"].shape)
            outputs = {tensor.shape for part, tensor in self.tensors.items() if part == "bias"}
            if dimensions in (2, 4) and all(len(shape) == 1 for shape in outputs):
                return "linear" if dimensions == 2 else "convolution"
        numbers = {t.shape for part, t in self.tensors.items() if part != _COUNT}
        if parts - {_COUNT} in (_STATISTICS, _STATISTICS | {"weight", "bias"}) and (
            len(numbers) == 1 and len(next(iter(numbers))) == 1
        ):
            return "batch norm" if "weight" in parts else "statistics"
        return "other"

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of its weight, or of its statistics."""
        return self.tensors["weight" if "weight" in self.tensors else "running_mean"].shape

    @property
    def bias(self) -> str | None:
        """The path of its bias, or None."""
        return self.tensor("bias") if "bias" in self.tensors else None

    def tensor(self, part: str) -> str:
        """Return the path of one of its tensors."""
        return f"{self.path}.{part}" if self.path else part


def layers_of(checkpoint: Checkpoint) -> list[Layer]:
    """Return the layers of a checkpoint, in the order of the file."""
    layers: dict[str, dict[str, StoredTensor]] = {}
    for name, tensor in checkpoint.tensors.items():
        path, _, part = name.rpartition(".")
        layers.setdefault(path, {})[part] = tensor
    return [Layer(path, tensors) for path, tensors in layers.items()]


def select(layers: Iterable[Layer], kind: Kind) -> list[Layer]:
    """Return the layers of one kind in the order in which the network has them.

    That is the order of the file, except in files that are sorted by name, such as those of
    safetensors: there it is the order of the numbers in their names.
    """
    selected = [layer for layer in layers if layer.kind == kind]
    paths = [layer.path for layer in selected]
    if paths != sorted(paths):
        return selected
    return sorted(selected, key=lambda layer: _natural(layer.path))


def _natural(path: str) -> list[tuple[int, str]]:
    """Return a key that sorts ``main.10`` after ``main.9``."""
    parts = re.findall(r"\d+|\D+", path)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def check_shapes(
    checkpoint: Checkpoint, architecture: str, expected: Mapping[str, tuple[int, ...]]
) -> None:
    """Raise an error if a layer of a file has another shape than an architecture needs.

    Args:
        checkpoint: the file.
        architecture: name of the architecture.
        expected: shapes as in `Layer.shape`, by path.

    Raises:
        ImportFileError: a shape differs.
    """
    shapes = {layer.path: layer.shape for layer in layers_of(checkpoint)}
    for path, shape in expected.items():
        if shapes[path] != shape:
            raise ImportFileError(
                f"{path} has shape {shapes[path]}, but architecture {architecture!r} needs "
                f"{shape} beside the other layers: it cannot hold this model."
            )


def convert_batch_norm(ours: str, norm: Layer, bias: str | None = None) -> Weights:
    """Return the weights of a BatchNorm layer by their names.

    Args:
        ours: name of the layer.
        norm: the layer of the file.
        bias: path of the bias of the layer before it, if that one has none in the architecture.
            BN(x + b) = scale * (x + b - mean) / std + shift: the bias b is taken off the mean.
    """
    weights: Weights = {
        f"{ours}.{part}": norm.tensor(part)
        for part in ("weight", "bias", "running_mean", "running_var")
    }
    if bias is not None:
        weights[f"{ours}.running_mean"] = Computed(
            subtract_bias, (norm.tensor("running_mean"), bias)
        )
    return weights | {f"{ours}.{_COUNT}": Computed(_zero)}


def subtract_bias(mean: NDArray[Any], bias: NDArray[Any]) -> NDArray[np.floating[Any]]:
    """Return the mean of a normalisation without the bias before it.

    Raises:
        ValueError: they have other shapes. NumPy would subtract one number from all.
    """
    if mean.shape != bias.shape:
        raise ValueError("they have other shapes")
    result: NDArray[np.floating[Any]] = mean - bias
    return result


def _zero() -> NDArray[Any]:
    return np.zeros((), np.int64)
