"""Figures of named rows of images."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from ganzoo.errors import PlotError, quantity
from ganzoo.plots.sheet import GAP, LINE, MARGIN, PIXELS, Sheet, enlarge, text_width
from ganzoo.plots.style import GREY, styled
from ganzoo.sampling.images import ImageBatch
from ganzoo.spec import as_integer

IMAGE_SIDE = 112  # default side of an enlarged image, in pixels
SMALL_SIDE = 88  # side that determines the default number of columns
NAME = 18  # maximum letters in a line of a row's name


@styled
def draw_rows(
    rows: Mapping[str, ImageBatch],
    *,
    columns: int | None = None,
    captions: Sequence[str] = (),
    image_side: int = IMAGE_SIDE,
) -> Figure:
    """Draw batches of equal length, one row for each, with its name at the left.

    Long rows are split into blocks, each with a part of every row. Image size and number of
    channels may differ between rows.

    Args:
        rows: batches by name, from top to bottom.
        columns: images in a row. The default depends on the image size and fits a README's width.
        captions: a short text above each column, one for each image.
        image_side: images are enlarged to the largest multiple of their size that is at most this
            many pixels.

    Raises:
        PlotError: there are no rows, a row is empty, or the lengths of rows or captions differ.
    """
    lengths = {len(batch) for batch in rows.values()} | ({len(captions)} if captions else set())
    if len(lengths) != 1 or 0 in lengths:
        raise PlotError(
            "cannot draw the rows: "
            + ", ".join(
                [f"{name!r} has {quantity(len(batch), 'image')}" for name, batch in rows.items()]
                + ([f"there are {len(captions)} captions"] if captions else [])
                or ["there is no row"]
            )
            + ". Pass rows of equal length, at least one image each, and as many captions or none."
        )
    (n,) = lengths
    names = [textwrap.fill(name, NAME) for name in rows]
    left = MARGIN + max(map(text_width, names)) + MARGIN
    sides = [batch.numpy().shape[1:3] for batch in rows.values()]
    room = PIXELS - left
    if columns is None:
        most = max(1, room // (max(_scale(side, SMALL_SIDE) * max(side) for side in sides) + GAP))
        columns = math.ceil(n / math.ceil(n / most))
    columns = min(n, as_integer("columns", columns))
    scales = [_scale(side, min(image_side, room // columns - GAP)) for side in sides]
    height, width = (
        max(side[axis] * scale for side, scale in zip(sides, scales, strict=True))
        for axis in (0, 1)
    )
    width = max(width, *map(text_width, captions)) if captions else width
    above = (LINE if captions else 0) + MARGIN
    block = above + len(rows) * (height + GAP)
    blocks = math.ceil(n / columns)
    sheet = Sheet(left + columns * (width + GAP) + MARGIN, blocks * block + MARGIN)
    for number in range(blocks):
        indices = range(number * columns, min(n, (number + 1) * columns))
        for column, k in enumerate(indices if captions else ()):
            middle = left + column * (width + GAP) + width / 2
            y = number * block + MARGIN + LINE / 2
            sheet.write(captions[k], middle, y, ha="center", color=GREY)
        for row, batch in enumerate(rows.values()):
            top = number * block + above + row * (height + GAP)
            sheet.write(names[row], left - MARGIN, top + height / 2, ha="right")
            for column, k in enumerate(indices):
                image = enlarge(batch.numpy()[k], scales[row])
                x = left + column * (width + GAP) + (width - image.width) // 2
                sheet.place(image, x, top + (height - image.height) // 2)
    return sheet.figure


def _scale(side: Sequence[int], image_side: int) -> int:
    """Return the factor that enlarges an image of this height and width to a side, at least 1."""
    return max(1, image_side // max(side))
