"""Figures of grids of images beside each other, such as real and generated ones."""

from __future__ import annotations

import math
from collections.abc import Mapping

from matplotlib.figure import Figure

from ganzoo.errors import PlotError
from ganzoo.plots.sheet import GAP, LINE, MARGIN, PIXELS, Sheet, enlarge, text_width
from ganzoo.plots.style import styled
from ganzoo.sampling.images import ImageBatch
from ganzoo.spec import as_integer

COLUMNS = 8
IMAGE_SIDE = 112  # default side of an enlarged image, in pixels


@styled
def draw_grids(grids: Mapping[str, ImageBatch], *, columns: int = COLUMNS) -> Figure:
    """Draw batches as grids beside each other, each below its name.

    Images are enlarged to the largest multiple of their size that fits, at least to their own size.

    Args:
        grids: batches by name, from left to right; their images may differ in size.
        columns: images in a row of each grid.

    Raises:
        PlotError: there are no grids, a grid is empty, or `columns` is below 1.
    """
    if not grids or as_integer("columns", columns) < 1 or not all(map(len, grids.values())):
        raise PlotError(
            f"cannot draw {len(grids)} grids in {columns} columns: pass at least one grid, one "
            "image in each, and one column."
        )
    image_side = min(IMAGE_SIDE, (PIXELS - MARGIN) // len(grids) // columns - GAP)
    sides = [batch.numpy().shape[1:3] for batch in grids.values()]
    scales = [max(1, image_side // max(side)) for side in sides]
    cells = [
        (width * scale + GAP, height * scale + GAP)
        for (height, width), scale in zip(sides, scales, strict=True)
    ]
    wide = [
        max(min(columns, len(batch)) * cell[0], text_width(name)) + MARGIN
        for (name, batch), cell in zip(grids.items(), cells, strict=True)
    ]
    tall = [
        math.ceil(len(batch) / columns) * cell[1]
        for batch, cell in zip(grids.values(), cells, strict=True)
    ]
    top = MARGIN + LINE
    sheet = Sheet(MARGIN + sum(wide), top + max(tall) + MARGIN)
    left = MARGIN
    for (name, batch), scale, cell, width in zip(grids.items(), scales, cells, wide, strict=True):
        sheet.write(name, left, MARGIN + LINE / 2 - GAP)
        for k, pixels in enumerate(batch.numpy()):
            row, column = divmod(k, columns)
            sheet.place(enlarge(pixels, scale), left + column * cell[0], top + row * cell[1])
        left += width
    return sheet.figure
