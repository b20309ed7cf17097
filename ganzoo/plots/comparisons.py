"""Figures that compare images row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from ganzoo.errors import PlotError
from ganzoo.plots.rows import IMAGE_SIDE, draw_rows
from ganzoo.sampling.images import ImageBatch

UPSCALED_SIDE = 256  # of images that are larger than their inputs, in pixels
UPSCALED_COLUMNS = 3


def draw_comparison(models: Mapping[str, ImageBatch], *, columns: int | None = None) -> Figure:
    """Draw samples of several models for the same seeds, one row for each model.

    Args:
        models: samples by the name of the model.
        columns: as for `draw_rows`.

    Raises:
        PlotError: the batches have different lengths.
    """
    return draw_rows(models, columns=columns)


def draw_reconstructions(
    real: ImageBatch, rebuilt: Mapping[str, ImageBatch], *, columns: int | None = None
) -> Figure:
    """Draw real images above their reconstructions by autoencoders.

    Args:
        real: the images.
        rebuilt: the reconstructions by the name of the model.
        columns: as for `draw_rows`.

    Raises:
        PlotError: the batches have different lengths.
    """
    return draw_rows({"real": real} | dict(rebuilt), columns=columns)


def draw_translations(
    condition: ImageBatch,
    outputs: Mapping[str, ImageBatch],
    truth: ImageBatch | None = None,
    *,
    columns: int | None = None,
) -> Figure:
    """Draw the inputs of image-to-image models, their outputs, and the true images.

    If outputs are larger than inputs, there is a row of inputs that a bicubic filter enlarges.

    Args:
        condition: the inputs.
        outputs: the outputs by the name of the model.
        truth: the true images, or None if there are none.
        columns: as for `draw_rows`; 3 by default if outputs are larger than inputs.

    Raises:
        PlotError: the batches have different lengths, or there are no outputs.
    """
    rows = {"condition": condition}
    size = next(iter(outputs.values())).numpy().shape[1:3] if outputs else (0, 0)
    side = IMAGE_SIDE
    if max(size) > max(condition.numpy().shape[1:3]):
        rows["bicubic"] = _enlarge(condition, size)
        side = UPSCALED_SIDE
        columns = columns or UPSCALED_COLUMNS
    rows |= outputs
    return draw_rows(rows | ({"truth": truth} if truth else {}), columns=columns, image_side=side)


def _enlarge(images: ImageBatch, size: Sequence[int]) -> ImageBatch:
    """Return images that Pillow's bicubic filter enlarges to a height and width."""
    height, width = size
    channels = images.numpy().shape[3]
    enlarged = [image.resize((width, height), Image.Resampling.BICUBIC) for image in images.pil()]
    pixels = [np.asarray(image).reshape(height, width, channels) for image in enlarged]
    return ImageBatch(np.stack(pixels))


def draw_neighbours(
    samples: ImageBatch,
    training: ImageBatch,
    indices: NDArray[np.integer],
    distances: Sequence[float] | NDArray[np.floating] | None = None,
    *,
    columns: int | None = None,
) -> Figure:
    """Draw samples above their nearest neighbours among the training images.

    Args:
        samples: n generated images.
        training: the training images.
        indices: indices of the nearest training images, integers (n,), or (n, k), nearest first.
        distances: distance of each sample to its nearest image, (n,), drawn above it.
        columns: as for `draw_rows`.

    Raises:
        PlotError: `indices` has a wrong shape or type, or an index is out of range.
    """
    table = np.asarray(indices)
    table = table[:, None] if table.ndim == 1 else table
    if table.ndim != 2 or len(table) != len(samples) or table.dtype.kind not in "iu":
        raise PlotError(
            f"indices of {len(samples)} samples are {table.dtype} {np.shape(indices)}. Pass "
            f"integers ({len(samples)},) or ({len(samples)}, k)."
        )
    if table.size and not (table.min() >= 0 and table.max() < len(training)):
        raise PlotError(
            f"index {table.max() if table.min() >= 0 else table.min()} is out of range: there are "
            f"{len(training)} training images. Pass indices 0 to {len(training) - 1}."
        )
    rows = {"sample": samples}
    for rank, column in enumerate(table.T, start=1):
        name = "nearest training image" if rank == 1 else f"{rank}. nearest"
        rows[name] = ImageBatch(training.numpy()[column])
    captions = () if distances is None else [f"{distance:.3g}" for distance in distances]
    return draw_rows(rows, columns=columns, captions=captions)
