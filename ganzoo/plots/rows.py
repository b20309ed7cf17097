"""Named rows of images: the form of every picture that compares image by image."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from ganzoo.errors import PlotError
from ganzoo.plots.sheet import GAP, LINE, MARGIN, PIXELS, Sheet, enlarge, text_width
from ganzoo.plots.style import GREY, styled
from ganzoo.sampling.images import ImageBatch

TILE = 112
SMALL_TILE = 88  # the same where more columns are to fit
NAME = 18  # letters in a line of a row's name


@styled
def draw_rows(
    rows: Mapping[str, ImageBatch],
    *,
    columns: int | None = None,
    captions: Sequence[str] = (),
    tile: int = TILE,
) -> Figure:
    """Draw batches of as many images each, a row of each with its name at the left.

    Where the images take more than one row, the rows take turns, block by block. Images may differ
    in size and number of channels from row to row.

    Args:
        rows: by name, from top to bottom.
        columns: images in a row; by default as many as the width of a README shows well.
        captions: a few letters above each column of a block, one for each image.
        tile: pixels that an image is enlarged to, or to the multiple of its size below that.

    Raises:
        PlotError: no rows, empty ones, or rows or captions of different lengths.
    """
    lengths = {len(batch) for batch in rows.values()} | ({len(captions)} if captions else set())
    if len(lengths) != 1 or 0 in lengths:
        raise PlotError(
            "rows are drawn of as many images each, one at least, and of as many captions; here "
            + ", ".join(
                [f"{name!r} has {len(batch)}" for name, batch in rows.items()]
                + ([f"there are {len(captions)} captions"] if captions else [])
                or ["there is no row"]
            )
            + "."
        )
    (n,) = lengths
    names = [textwrap.fill(name, NAME) for name in rows]
    left = MARGIN + max(map(text_width, names)) + MARGIN
    sides = [batch.numpy().shape[1:3] for batch in rows.values()]
    room = PIXELS - left
    if columns is None:
        most = max(1, room // (max(_scale(side, SMALL_TILE) * max(side) for side in sides) + GAP))
        columns = math.ceil(n / math.ceil(n / most))
    columns = min(n, columns)
    scales = [_scale(side, min(tile, room // columns - GAP)) for side in sides]
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
        shown = range(number * columns, min(n, (number + 1) * columns))
        for column, k in enumerate(shown if captions else ()):
            middle = left + column * (width + GAP) + width / 2
            y = number * block + MARGIN + LINE / 2
            sheet.write(captions[k], middle, y, ha="center", color=GREY)
        for row, batch in enumerate(rows.values()):
            top = number * block + above + row * (height + GAP)
            sheet.write(names[row], left - MARGIN, top + height / 2, ha="right")
            for column, k in enumerate(shown):
                image = enlarge(batch.numpy()[k], scales[row])
                x = left + column * (width + GAP) + (width - image.width) // 2
                sheet.place(image, x, top + (height - image.height) // 2)
    return sheet.figure


def _scale(side: Sequence[int], tile: int) -> int:
    """How many times an image of this height and width fits into a tile, at least once."""
    return max(1, tile // max(side))
