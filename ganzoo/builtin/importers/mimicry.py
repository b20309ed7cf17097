"""Generators of mimicry, a library of GANs for PyTorch.

Its ResNets are those of SNGAN (Miyato et al., 2018), https://arxiv.org/abs/1802.05957, with
bilinear enlargement.
"""

from __future__ import annotations

from math import isqrt

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
from ganzoo.importers.layers import subtract_bias
from ganzoo.spec import DataSpec, ImageSpec

NORM = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
DISCRIMINATOR = frozenset({"block1.c1.sn_u", "block1.c2.sn_u", "block2.c1.sn_u"})


class Mimicry(Importer):
    """Converts ``netG_*_steps.pth`` of its GANs without labels."""

    project = "mimicry (https://github.com/kwotsin/mimicry)"
    marks = frozenset(
        {"l1.weight", "block2.c1.bias", "block2.b1.running_mean", "block2.c_sc.weight"}
    )

    def recognises(self, checkpoint: Checkpoint) -> bool:
        """Return whether a file holds a generator of mimicry, or a discriminator."""
        paths = checkpoint.tensors.keys()
        return self.marks <= paths or paths >= DISCRIMINATOR

    def convert(self, checkpoint: Checkpoint) -> Conversion:
        """Convert a file.

        Raises:
            ImportFileError: it holds a discriminator, or has shapes that the architecture lacks.
        """
        if checkpoint.tensors.keys() >= DISCRIMINATOR:
            raise ImportFileError(
                "it holds a discriminator alone. Import the generator's file, netG_*_steps.pth."
            )
        blocks = count_parts(checkpoint, "block{}.c1.weight", start=2)
        shapes = [shape_of(checkpoint, f"block{k}.c1.weight", 4) for k in range(2, 2 + blocks)]
        widths = (shapes[0][1], *(shape[0] for shape in shapes))
        features, latent_dim = shape_of(checkpoint, "l1.weight", 2)
        base = isqrt(features // widths[0])
        if base * base * widths[0] != features:
            raise ImportFileError(
                f"its first map has {features} numbers, which is no square map with the "
                f"{widths[0]} channels of block2. Get the file again."
            )
        last = blocks + 2
        channels = shape_of(checkpoint, f"c{last}.weight", 4)[0]
        weights: Weights = {}
        for ours, theirs in {"first": "l1", "last": f"c{last}"}.items():
            weights |= _layer(ours, theirs)
        weights |= _norm("norm", f"b{last}")
        for k in range(blocks):
            weights |= _block(f"blocks.{k}", f"block{k + 2}")
        side = base * 2**blocks
        return Conversion(
            architecture="resnet",
            arguments={
                "latent_dim": latent_dim,
                "generator_widths": widths,
                "upsampling": "bilinear",
            },
            data=DataSpec(ImageSpec(side, side, channels)),
            weights={"generator": weights},
            options={"nz": latent_dim, "ngf": widths[0], "bottom_width": base},
        )


def _layer(ours: str, theirs: str) -> Weights:
    return {f"{ours}.{name}": f"{theirs}.{name}" for name in ("weight", "bias")}


def _norm(ours: str, theirs: str) -> Weights:
    return {f"{ours}.{name}": f"{theirs}.{name}" for name in NORM}


def _block(ours: str, theirs: str) -> Weights:
    return (
        _norm(f"{ours}.norm1", f"{theirs}.b1")
        | _norm(f"{ours}.norm2", f"{theirs}.b2")
        | {
            f"{ours}.convolution1.weight": f"{theirs}.c1.weight",
            # A bias before a normalisation: (h + b) - m = h - (m - b).
            f"{ours}.norm2.running_mean": Computed(
                subtract_bias, (f"{theirs}.b2.running_mean", f"{theirs}.c1.bias")
            ),
        }
        | _layer(f"{ours}.convolution2", f"{theirs}.c2")
        | _layer(f"{ours}.shortcut", f"{theirs}.c_sc")
    )
