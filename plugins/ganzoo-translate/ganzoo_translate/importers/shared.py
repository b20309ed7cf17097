"""What the importers of the authors' PyTorch program share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from ganzoo import DataSpec, ImageSpec
from ganzoo.errors import ImportFileError
from ganzoo.importers import IGNORED_COUNTS, Layer, Weights, convert_batch_norm

PROJECT = "pytorch-CycleGAN-and-pix2pix, https://github.com/junyanz/pytorch-CycleGAN-and-pix2pix"

Statistics = Literal["stored", "image"]


def choose_norm(norms: Sequence[Layer], statistics: Statistics) -> str:
    """Return the normalisation of the architecture that a network needs.

    BatchNorm with the statistics of a batch of one image is instance normalisation with a scale
    and a shift.

    Args:
        norms: its BatchNorm layers; without any, it has instance normalisation.
        statistics: those of BatchNorm.
    """
    if not norms:
        return "instance"
    return "batch" if statistics == "stored" else "instance-affine"


def convert_norms(norms: Mapping[str, Layer], statistics: Statistics) -> Weights:
    """Return the weights of BatchNorm layers.

    Args:
        norms: the layers by their names in the architecture.
        statistics: those that the layers use.
    """
    weights: Weights = {}
    for ours, norm in norms.items():
        if statistics == "stored":
            weights |= convert_batch_norm(ours, norm)
        else:
            weights |= {f"{ours}.{part}": norm.tensor(part) for part in ("weight", "bias")}
    return weights


def ignore(norms: Sequence[Layer], statistics: Statistics) -> dict[str, str]:
    """Return the reasons for tensors that are not used, by path.

    Args:
        norms: the network's BatchNorm layers.
        statistics: those that the layers use.
    """
    if norms and statistics == "stored":
        return IGNORED_COUNTS
    reason = "statistics of the training: each image is normalised by its own"
    ignored = IGNORED_COUNTS | {"*.running_mean": reason, "*.running_var": reason}
    if not norms:
        ignored["*.bias"] = "a bias that the normalisation after it removes"
    return ignored


def describe_translation(
    height: int, width: int, inputs: int, outputs: int, *, paired: bool
) -> DataSpec:
    """Return the spec of images and conditions of one size.

    Args:
        height: height of both.
        width: width of both.
        inputs: channels of the condition.
        outputs: channels of the image.
        paired: as in `DataSpec`.

    Raises:
        ImportFileError: a number is out of its range.
    """
    try:
        condition = ImageSpec(height, width, inputs)
        return DataSpec(ImageSpec(height, width, outputs), condition=condition, paired=paired)
    except ValueError as error:
        raise ImportFileError(f"its images cannot be described: {error}.") from error
