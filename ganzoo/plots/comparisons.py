"""Pictures that set images beside what they are to be compared with, row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ganzoo.errors import PlotError
from ganzoo.plots.rows import draw_rows
from ganzoo.sampling.images import ImageBatch


def draw_comparison(models: Mapping[str, ImageBatch], *, columns: int | None = None) -> Figure:
    """Draw the same seeds of several models, a row a model with its name at the left.

    Raises:
        PlotError: batches that differ in length.
    """
    return draw_rows(models, columns=columns)


def draw_reconstructions(
    real: ImageBatch, rebuilt: Mapping[str, ImageBatch], *, columns: int | None = None
) -> Figure:
    """Draw real images above what autoencoders make of them.

    Args:
        real: the images.
        rebuilt: their reconstructions, by the name of the model.
        columns: as for `draw_rows`.

    Raises:
        PlotError: batches that differ in length.
    """
    return draw_rows({"real": real} | dict(rebuilt), columns=columns)


def draw_translations(
    condition: ImageBatch,
    output: ImageBatch,
    truth: ImageBatch | None = None,
    *,
    columns: int | None = None,
) -> Figure:
    """Draw what a translator reads, what it makes of it, and what it was to make.

    Args:
        condition: the images it reads.
        output: the images it makes.
        truth: their counterparts; None where there are none.
        columns: as for `draw_rows`.

    Raises:
        PlotError: batches that differ in length.
    """
    rows = {"condition": condition, "output": output} | ({"truth": truth} if truth else {})
    return draw_rows(rows, columns=columns)


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
        training: the training images that `indices` count.
        indices: whole numbers (n,), the nearest of each sample; or (n, k), nearest first.
        distances: of each sample to its nearest, (n,), written above; in whatever unit they are.
        columns: as for `draw_rows`.

    Raises:
        PlotError: indices of another number, or of no training image.
    """
    table = np.asarray(indices)
    table = table[:, None] if table.ndim == 1 else table
    if table.ndim != 2 or len(table) != len(samples) or table.dtype.kind not in "iu":
        raise PlotError(
            f"{len(samples)} samples take whole numbers ({len(samples)},) or ({len(samples)}, k) "
            f"that say which images are nearest, not {table.dtype} {np.shape(indices)}."
        )
    if table.size and not (table.min() >= 0 and table.max() < len(training)):
        raise PlotError(
            f"there are {len(training)} training images, numbers 0 to {len(training) - 1}, and a "
            f"nearest one is said to be number {table.max() if table.min() >= 0 else table.min()}."
        )
    rows = {"sample": samples}
    for rank, column in enumerate(table.T, start=1):
        name = "nearest training image" if rank == 1 else f"{rank}. nearest"
        rows[name] = ImageBatch(training.numpy()[column])
    captions = () if distances is None else [f"{distance:.3g}" for distance in distances]
    return draw_rows(rows, columns=columns, captions=captions)
