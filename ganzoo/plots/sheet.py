"""Figures with a layout in pixels: images at whole multiples of their size, and text."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath
from numpy.typing import NDArray
from PIL import Image

from ganzoo.errors import printable
from ganzoo.plots.style import DPI, INK, STYLE, TEXT, WIDTH
from ganzoo.sampling.images import ImageBatch

PIXELS = round(WIDTH * DPI)  # target width of a sheet
GAP = 4  # pixels between images
MARGIN = 12
LARGEST = 256  # side of an image in figures that shrink larger ones, in pixels
LINE = math.ceil(1.5 * TEXT * DPI / 72)  # height of a line of text, in pixels


class Sheet:
    """A white figure with a size in pixels and (0, 0) at its top left.

    Attributes:
        figure: the matplotlib figure. Its PNG shows each pixel of an image as one pixel.
    """

    def __init__(self, width: int, height: int) -> None:
        # Slightly more than whole pixels, because matplotlib rounds down.
        self.figure = Figure(figsize=((width + 0.01) / DPI, (height + 0.01) / DPI), dpi=DPI)
        self._axes = self.figure.add_axes((0.0, 0.0, 1.0, 1.0))
        self._axes.set_axis_off()
        self._axes.set(xlim=(0, width), ylim=(height, 0), autoscale_on=False)

    def place(self, image: Image.Image, left: int, top: int) -> None:
        """Draw an image with its top left corner at (left, top)."""
        self._axes.imshow(
            np.asarray(image.convert("RGB")),  # a grey colour map would round some levels
            extent=(left, left + image.width, top + image.height, top),
            interpolation="none",
            aspect="auto",
        )

    def write(self, text: str, x: float, y: float, **options: Any) -> None:
        """Draw text; by default it starts at x and is vertically centred at y."""
        defaults: dict[str, Any] = {"ha": "left", "va": "center", "size": TEXT, "color": INK}
        self._axes.text(x, y, text, **defaults | options)

    def fill(self, left: float, top: float, width: float, height: float, colour: str) -> None:
        """Draw a filled rectangle."""
        self._axes.fill_between([left, left + width], top, top + height, color=colour, linewidth=0)


def text_width(text: str) -> int:
    """Return the width of the longest line of a text, in pixels."""
    font = FontProperties(family=STYLE["font.family"])
    widths = [
        TextPath((0, 0), line, size=TEXT, prop=font).get_extents().width if line.strip() else 0.0
        for line in printable(text).splitlines()
    ]
    return math.ceil(max(widths, default=0.0) * DPI / 72)


def shrink(images: ImageBatch) -> ImageBatch:
    """Return images of at most 256 pixels a side; larger ones are averaged over squares."""
    factor = -(-max(images.numpy().shape[1:3]) // LARGEST)
    if factor == 1:
        return images
    small = np.stack([np.asarray(image.reduce(factor)) for image in images])
    return ImageBatch(small.reshape(*small.shape[:3], -1))


def enlarge(pixels: NDArray[np.uint8], scale: int) -> Image.Image:
    """Return an image, uint8 (height, width, channels), enlarged `scale` times without smoothing.

    Images of three channels are in colour. Of any other number, only the first channel is drawn, in
    grey.
    """
    large = pixels.repeat(scale, axis=0).repeat(scale, axis=1)
    return Image.fromarray(large if large.shape[2] == 3 else large[:, :, 0])
