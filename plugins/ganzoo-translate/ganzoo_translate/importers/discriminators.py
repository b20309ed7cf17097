"""Discriminators, which have files of their own and are refused."""

from __future__ import annotations

import itertools
from typing import NoReturn

from ganzoo.errors import ImportFileError
from ganzoo.importers import Checkpoint, layers_of, select

KERNEL = 4
SHALLOWEST = 3  # convolutions


def is_patch_discriminator(checkpoint: Checkpoint, *, batch_norm: bool) -> bool:
    """Return whether a file is a PatchGAN discriminator.

    Args:
        checkpoint: the file.
        batch_norm: look for one with BatchNorm, whose convolutions between the first and the last
            have no bias; else for one with instance normalisation or none, where all have.
    """
    layers = layers_of(checkpoint)
    convolutions, norms = select(layers, "convolution"), select(layers, "batch norm")
    known = len(convolutions) + len(norms) + len(select(layers, "statistics"))
    if len(convolutions) < SHALLOWEST or known < len(layers):
        return False
    shapes = [layer.shape for layer in convolutions]
    middle = [shape[:1] for shape in shapes[1:-1]]
    return (
        all(below[0] == above[1] for below, above in itertools.pairwise(shapes))
        and all(shape[2:] == (KERNEL, KERNEL) for shape in shapes)
        and shapes[-1][0] == 1
        and [norm.shape for norm in norms] == (middle if batch_norm else [])
        and [layer.bias is not None for layer in convolutions]
        == [True, *[not batch_norm] * len(middle), True]
    )


def refuse_discriminator(generator: str) -> NoReturn:
    """Raise the error that a file is a discriminator.

    Args:
        generator: the usual name of the generator's file.

    Raises:
        ImportFileError: always.
    """
    raise ImportFileError(
        "it is a discriminator, which makes no images. Import the file of the generator, such as "
        f"{generator}."
    )
