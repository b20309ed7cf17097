"""Samples of the same seeds over a training, as a contact sheet or as an animation."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.figure import Figure
from PIL import Image

from ganzoo.errors import PlotError, quantity
from ganzoo.plots.run_files import choose_evenly
from ganzoo.plots.saving import to_pil
from ganzoo.plots.sheet import GAP, LINE, MARGIN, PIXELS, Sheet, text_width
from ganzoo.plots.style import BLUE, PALE, styled

COLUMNS = 4
SHEETS = 12  # maximum number of samples on a contact sheet
FRAMES = 120  # maximum number of frames of an animation
SIDE = 480  # minimum size of an enlarged sample in a frame, in pixels
BAR = 6  # height of the progress bar, in pixels


@styled
def draw_progress(samples: Sequence[tuple[int, Image.Image]]) -> Figure:
    """Draw the samples of a training as one contact sheet, each with the number of images seen.

    At most 12 samples are drawn, evenly spaced, including the first and the last.

    Args:
        samples: pairs of the number of images seen and the sample, oldest first.

    Raises:
        PlotError: there are no samples.
    """
    _check(samples)
    selection = choose_evenly(samples, SHEETS)
    rows = math.ceil(len(selection) / COLUMNS)
    columns = math.ceil(len(selection) / rows)
    width, height = (max(sample.size[axis] for _, sample in selection) for axis in (0, 1))
    room = (PIXELS - 2 * MARGIN) // columns - MARGIN
    scale = min(1.0, room / width)
    captions = [quantity(images, "image") for images, _ in selection]
    width = max(round(width * scale), max(map(text_width, captions)) + 2 * GAP)
    height = round(height * scale)
    block = LINE + height + MARGIN
    sheet = Sheet(2 * MARGIN + columns * (width + MARGIN) - MARGIN, MARGIN + rows * block)
    for k, (_, sample) in enumerate(selection):
        left = MARGIN + k % columns * (width + MARGIN)
        top = MARGIN + k // columns * block
        sheet.write(captions[k], left + GAP, top + LINE / 2 - GAP)
        if scale < 1:
            size = round(sample.width * scale), round(sample.height * scale)
            sample = sample.resize(size, Image.Resampling.LANCZOS)
        sheet.place(sample, left, top + LINE)
    return sheet.figure


@styled
def animate_progress(samples: Sequence[tuple[int, Image.Image]]) -> list[Image.Image]:
    """Draw the samples of a training as the frames of an animation.

    Each frame shows the number of images seen and a progress bar above the sample. At most 120
    samples are drawn, evenly spaced, including the first and the last.

    Args:
        samples: pairs of the number of images seen and the sample, oldest first.

    Raises:
        PlotError: there are no samples.
    """
    _check(samples)
    width, height = (max(sample.size[axis] for _, sample in samples) for axis in (0, 1))
    scale = max(1, math.ceil(SIDE / max(width, height)))
    end = max(1, samples[-1][0])
    frames = []
    for images, sample in choose_evenly(samples, FRAMES):
        sheet = Sheet(2 * MARGIN + width * scale, 2 * MARGIN + LINE + BAR + height * scale)
        sheet.write(f"{quantity(images, 'image')} seen", MARGIN, MARGIN + LINE / 2 - GAP)
        sheet.fill(MARGIN, MARGIN + LINE, width * scale, BAR / 2, PALE)
        sheet.fill(MARGIN, MARGIN + LINE, width * scale * images / end, BAR / 2, BLUE)
        size = sample.width * scale, sample.height * scale
        large = sample.resize(size, Image.Resampling.NEAREST)
        sheet.place(large, MARGIN, MARGIN + LINE + BAR)
        frames.append(to_pil(sheet.figure))
    return frames


def _check(samples: Sequence[object]) -> None:
    if not samples:
        raise PlotError("cannot draw the progress: `samples` is empty. Pass at least one sample.")
