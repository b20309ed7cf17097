"""pix2pix's U-Net of the authors' PyTorch program.

"Image-to-Image Translation with Conditional Adversarial Networks" (Isola et al., 2016),
https://arxiv.org/abs/1611.07004. The file nests the network: each level has a convolution down, the
next level, and a transposed convolution up.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ganzoo.importers import (
    Checkpoint,
    Computed,
    Conversion,
    Importer,
    Layer,
    Weights,
    check_shapes,
    layers_of,
    select,
)
from ganzoo_translate.importers.discriminators import (
    is_patch_discriminator,
    refuse_discriminator,
)
from ganzoo_translate.importers.shared import (
    PROJECT,
    Statistics,
    choose_norm,
    convert_norms,
    describe_translation,
    ignore,
)

TOP = "model.model"
MULTIPLIER = 8  # maximum channels of a map, in units of the width
FEWEST, MOST = 5, 8  # levels: 32 to 256 pixels
NORMS = ("batch norm", "statistics")  # kinds of layers; without any, it is instance normalisation


class Pix2pixJunyanz(Importer):
    """Converts a U-Net, such as ``latest_net_G.pth``."""

    project = PROJECT
    marks = frozenset(
        {f"{TOP}.0.weight", f"{TOP}.1.model.1.weight", f"{TOP}.1.model.5.weight", f"{TOP}.3.weight"}
    )

    def recognises(self, checkpoint: Checkpoint) -> bool:
        """Return whether a file has the names of the network, or is a discriminator."""
        return _find(checkpoint) is not None or is_patch_discriminator(checkpoint, batch_norm=True)

    def convert(self, checkpoint: Checkpoint, *, statistics: Statistics = "stored") -> Conversion:
        """Convert a file.

        Args:
            checkpoint: the file.
            statistics: of BatchNorm, in a file that has it: ``stored`` in the file, or those of
                each ``image``, as in the project's test script without ``--eval``.

        Raises:
            ImportFileError: the file is a discriminator, or has widths that the architecture lacks.
        """
        levels = _find(checkpoint)
        if levels is None:
            refuse_discriminator("latest_net_G.pth")
        layers = {layer.path: layer for layer in layers_of(checkpoint)}
        width, inputs, *_ = layers[levels[0].down].shape
        outputs = layers[levels[0].up].shape[1]
        widths = [min(2**level, MULTIPLIER) * width for level in range(len(levels))]
        check_shapes(checkpoint, "unet", _shapes(levels, inputs, widths, outputs))
        norms = select(layers.values(), "batch norm")
        side = 2 ** len(levels)
        return Conversion(
            architecture="unet",
            arguments={
                "width": width,
                "relu_skips": True,
                "generator_norm": choose_norm(norms, statistics),
            },
            data=describe_translation(side, side, inputs, outputs, paired=True),
            weights={"generator": _weights(levels, layers, statistics)},
            ignored=ignore(norms, statistics),
            options={
                "netG": f"unet_{side}",
                "ngf": width,
                "norm": "batch" if norms else "instance",
                "input_nc": inputs,
                "output_nc": outputs,
            },
            deviations=("Without dropout, which the original leaves on except with --eval.",),
        )


class _Level(NamedTuple):
    """The paths of the layers of one level, from the image down; empty if there is none."""

    down: str
    norm_down: str
    norm_up: str
    up: str


def _find(checkpoint: Checkpoint) -> list[_Level] | None:
    """Return the levels of a U-Net if a file has exactly their layers."""
    layers = {layer.path: layer for layer in layers_of(checkpoint)}
    levels, path = [_Level(f"{TOP}.0", "", "", f"{TOP}.3")], f"{TOP}.1"
    while f"{path}.model.5" in layers:
        levels.append(_Level(*(f"{path}.model.{k}" for k in (1, 2, 6, 5))))
        path = f"{path}.model.3"
    levels.append(_Level(f"{path}.model.1", "", f"{path}.model.4", f"{path}.model.3"))
    if not FEWEST <= len(levels) <= MOST:
        return None
    convolutions = [level.down for level in levels] + [level.up for level in levels]
    norms = [norm for level in levels for norm in (level.norm_down, level.norm_up) if norm]
    kinds = {path: layer.kind for path, layer in layers.items()}
    expected = dict.fromkeys(convolutions, "convolution")
    variants = [expected, *(expected | dict.fromkeys(norms, kind) for kind in NORMS)]
    if kinds not in variants:
        return None
    # With BatchNorm, only the last layer has a bias; else, all have.
    biased = {path for path in convolutions if layers[path].bias}
    batch_norm = "batch norm" in kinds.values()
    return levels if biased == ({levels[0].up} if batch_norm else set(convolutions)) else None


def _shapes(
    levels: list[_Level], inputs: int, widths: list[int], outputs: int
) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the convolutions of the architecture, by path."""
    shapes: dict[str, tuple[int, ...]] = {}
    below = [inputs, *widths]
    above = [outputs, *widths]
    for k, level in enumerate(levels):
        joined = widths[k] * (1 if k == len(levels) - 1 else 2)
        shapes[level.down] = (widths[k], below[k], 4, 4)
        shapes[level.up] = (joined, above[k], 4, 4)
    return shapes


def _weights(levels: list[_Level], layers: dict[str, Layer], statistics: Statistics) -> Weights:
    weights: Weights = {}
    norms: dict[str, Layer] = {}
    smallest = len(levels) - 1
    for k, level in enumerate(levels):
        down, up = layers[level.down], layers[level.up].tensor("weight")
        name = "last" if k == 0 else f"up.{smallest - k}.0"
        weights[f"down.{k}.0.weight"] = down.tensor("weight")
        weights[f"{name}.weight"] = up if k == smallest else Computed(_swap, (up,))
        if k in (0, smallest):  # maps without normalisation
            zeros = Computed(partial(np.zeros, down.shape[0], np.float32))
            weights[f"down.{k}.0.bias"] = down.bias or zeros
        places = {f"down.{k}.1": level.norm_down, f"up.{smallest - k}.1": level.norm_up}
        norms |= {ours: layers[path] for ours, path in places.items() if path in layers}
    weights["last.bias"] = layers[levels[0].up].tensor("bias")
    batch_norms = {ours: norm for ours, norm in norms.items() if norm.kind == "batch norm"}
    return weights | convert_norms(batch_norms, statistics)


def _swap(weight: NDArray[Any]) -> NDArray[np.floating[Any]]:
    """Return the weight of a layer that reads a decoded map and then the map that skips it."""
    skips, decoded = np.split(weight, 2)
    return np.concatenate([decoded, skips])
