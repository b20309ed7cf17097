"""Tables of mixed styles."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from ganzoo.errors import PlotError
from ganzoo.plots.sheet import GAP, LINE, MARGIN, PIXELS, Sheet, enlarge, text_width
from ganzoo.plots.style import GREY, styled
from ganzoo.sampling.images import ImageBatch

IMAGE_SIDE = 176  # largest side of an enlarged image, in pixels


@styled
def draw_style_mixing(
    rows: ImageBatch,
    columns: ImageBatch,
    mixed: ImageBatch,
    names: tuple[Sequence[str], Sequence[str]],
) -> Figure:
    """Draw the table of "A Style-Based Generator Architecture" (Karras et al., 2019), figure 3.

    The sources of the rows are at the left, those of the columns at the top.

    Args:
        rows: one image for each row.
        columns: one image for each column.
        mixed: an image for each row and column, row by row.
        names: names of the rows, and of the columns.

    Raises:
        PlotError: there is no row or column, or the numbers of images or names differ.
    """
    height, width = mixed.numpy().shape[1:3]
    counts = len(rows), len(columns)
    if (
        not all(counts)
        or len(mixed) != counts[0] * counts[1]
        or counts != (len(names[0]), len(names[1]))
    ):
        raise PlotError(
            f"cannot draw {len(mixed)} mixed images of {counts[0]} rows and {counts[1]} columns: "
            "pass an image for each row and column, and a name for each source."
        )
    left = MARGIN + max(map(text_width, names[0])) + MARGIN
    scale = max(1, min(IMAGE_SIDE, (PIXELS - left) // (counts[1] + 1) - GAP) // max(height, width))
    height, width = height * scale, width * scale
    step_x = max(width, *map(text_width, names[1])) + GAP
    first_x, first_y = left + width + MARGIN, MARGIN + LINE + height + MARGIN
    sheet = Sheet(
        first_x + counts[1] * step_x + MARGIN, first_y + counts[0] * (height + GAP) + MARGIN
    )
    for column, name in enumerate(names[1]):
        x = first_x + column * step_x
        sheet.write(name, x + width / 2, MARGIN + LINE / 2, ha="center", color=GREY)
        sheet.place(enlarge(columns.numpy()[column], scale), x, MARGIN + LINE)
    for row, name in enumerate(names[0]):
        y = first_y + row * (height + GAP)
        sheet.write(name, left - MARGIN, y + height / 2, ha="right", color=GREY)
        sheet.place(enlarge(rows.numpy()[row], scale), left, y)
        for column in range(counts[1]):
            image = enlarge(mixed.numpy()[row * counts[1] + column], scale)
            sheet.place(image, first_x + column * step_x, y)
    return sheet.figure
