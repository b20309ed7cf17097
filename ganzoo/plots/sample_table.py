"""A table of sample images: a row for each model, a column for each seed."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.figure import Figure
from PIL import Image

from ganzoo.errors import PlotError
from ganzoo.plots.sheet import LINE, MARGIN, PIXELS, Sheet, text_width
from ganzoo.plots.style import styled


@styled
def draw_sample_table(rows: Mapping[str, Mapping[str, Image.Image]]) -> Figure:
    """Draw images in a table; small images are enlarged by a whole factor.

    Args:
        rows: for each row, its images by column.

    Raises:
        PlotError: there is no image.
    """
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    images = [image for row in rows.values() for image in row.values()]
    if not images:
        raise PlotError("there is nothing to draw: no run has sample images.")
    left = 2 * MARGIN + max(map(text_width, rows))
    room = max(1, (PIXELS - left) // len(columns) - MARGIN)
    scaled = {
        label: {k: _fit(image, room) for k, image in row.items()} for label, row in rows.items()
    }
    width = max(image.width for row in scaled.values() for image in row.values())
    heights = [max((i.height for i in row.values()), default=LINE) for row in scaled.values()]
    sheet = Sheet(
        left + len(columns) * (width + MARGIN), LINE + sum(heights) + MARGIN * (len(rows) + 1)
    )
    for k, column in enumerate(columns):
        sheet.write(column, left + k * (width + MARGIN), MARGIN / 2 + LINE / 2)
    top = LINE + MARGIN
    for (label, row), height in zip(scaled.items(), heights, strict=True):
        sheet.write(label, MARGIN, top + height / 2)
        for k, column in enumerate(columns):
            if column in row:
                sheet.place(row[column], left + k * (width + MARGIN), top)
        top += height + MARGIN
    return sheet.figure


def _fit(image: Image.Image, room: int) -> Image.Image:
    scale = room // max(image.size)
    if scale:
        size = image.width * scale, image.height * scale
        return image.resize(size, Image.Resampling.NEAREST)
    image = image.copy()
    image.thumbnail((room, room), Image.Resampling.LANCZOS)
    return image
