"""How the images of the same seeds change over a training: as a contact sheet, as an animation."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.figure import Figure
from PIL import Image

from ganzoo.errors import PlotError
from ganzoo.plots.run_files import choose_evenly
from ganzoo.plots.saving import to_pil
from ganzoo.plots.sheet import GAP, LINE, MARGIN, PIXELS, Sheet, text_width
from ganzoo.plots.style import BLUE, PALE, styled

COLUMNS = 4
SHEETS = 12  # pictures on a contact sheet
FRAMES = 120  # of an animation
SIDE = 480  # pixels that a frame's picture is enlarged to, at least
BAR = 6  # height of the bar that shows how far the training is, in pixels


@styled
def draw_progress(pictures: Sequence[tuple[int, Image.Image]]) -> Figure:
    """Draw pictures of a training as one contact sheet, each under the images seen.

    Of more than 12 pictures 12 are drawn, evenly spaced, the first and the last among them.

    Args:
        pictures: images seen and the picture, oldest first.

    Raises:
        PlotError: no pictures.
    """
    _check(pictures)
    shown = choose_evenly(pictures, SHEETS)
    rows = math.ceil(len(shown) / COLUMNS)
    columns = math.ceil(len(shown) / rows)
    width, height = (max(picture.size[axis] for _, picture in shown) for axis in (0, 1))
    room = (PIXELS - 2 * MARGIN) // columns - MARGIN
    scale = min(1.0, room / width)
    captions = [f"{images:,} images" for images, _ in shown]
    width = max(round(width * scale), max(map(text_width, captions)) + 2 * GAP)
    height = round(height * scale)
    block = LINE + height + MARGIN
    sheet = Sheet(2 * MARGIN + columns * (width + MARGIN) - MARGIN, MARGIN + rows * block)
    for k, (_, picture) in enumerate(shown):
        left = MARGIN + k % columns * (width + MARGIN)
        top = MARGIN + k // columns * block
        sheet.write(captions[k], left + GAP, top + LINE / 2 - GAP)
        if scale < 1:
            size = round(picture.width * scale), round(picture.height * scale)
            picture = picture.resize(size, Image.Resampling.LANCZOS)
        sheet.place(picture, left, top + LINE)
    return sheet.figure


@styled
def animate_progress(pictures: Sequence[tuple[int, Image.Image]]) -> list[Image.Image]:
    """Draw pictures of a training as the frames of an animation.

    Each is under the images seen and a bar of how far that is. Of more than 120 pictures 120 are
    drawn, evenly spaced, the first and the last among them.

    Args:
        pictures: images seen and the picture, oldest first.

    Raises:
        PlotError: no pictures.
    """
    _check(pictures)
    width, height = (max(picture.size[axis] for _, picture in pictures) for axis in (0, 1))
    scale = max(1, math.ceil(SIDE / max(width, height)))
    end = max(1, pictures[-1][0])
    frames = []
    for images, picture in choose_evenly(pictures, FRAMES):
        sheet = Sheet(2 * MARGIN + width * scale, 2 * MARGIN + LINE + BAR + height * scale)
        sheet.write(f"{images:,} images seen", MARGIN, MARGIN + LINE / 2 - GAP)
        sheet.fill(MARGIN, MARGIN + LINE, width * scale, BAR / 2, PALE)
        sheet.fill(MARGIN, MARGIN + LINE, width * scale * images / end, BAR / 2, BLUE)
        size = picture.width * scale, picture.height * scale
        large = picture.resize(size, Image.Resampling.NEAREST)
        sheet.place(large, MARGIN, MARGIN + LINE + BAR)
        frames.append(to_pil(sheet.figure))
    return frames


def _check(pictures: Sequence[object]) -> None:
    if not pictures:
        raise PlotError("there is nothing to draw: no pictures of a training were given.")
