"""The style of all figures, with colours that colour-blind readers can distinguish."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import matplotlib
import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

# Okabe and Ito (2008), "Color Universal Design", https://jfly.uni-koeln.de/color/
BLUE, VERMILLION, GREEN, PURPLE, ORANGE = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00"
PLAYERS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE)
INK, GREY, PALE = "#333333", "#8C8C8C", "#D9D9D9"

# The "muted" scheme of Tol (2021), "Colour Schemes", https://personal.sron.nl/~pault/, with a
# darker grey that is visible on white.
CLASSES = (
    *("#332288", "#88CCEE", "#44AA99", "#117733", "#999933"),
    *("#DDCC77", "#CC6677", "#882255", "#AA4499", "#888888"),
)
MANY_CLASSES = "cividis"  # colour map for more classes than the colours above

DPI = 150
WIDTH = 8.4  # inches: 1,260 pixels, 1.5 times the width of a README
TEXT = 9.0  # points

STYLE: Any = {
    "figure.dpi": DPI,
    "savefig.dpi": "figure",
    "figure.facecolor": "white",
    "font.family": "DejaVu Sans",  # part of matplotlib, so the same on every machine
    "font.size": TEXT,
    "text.color": INK,
    "text.parse_math": False,  # a name may contain a dollar sign
    "axes.titlesize": TEXT,
    "axes.titlelocation": "left",
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,
    "grid.color": PALE,
    "grid.linewidth": 0.6,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "lines.linewidth": 1.5,
    "legend.frameon": False,
    "legend.fontsize": TEXT,
    "svg.fonttype": "path",  # so the viewer needs no font
    "svg.hashsalt": "ganzoo",  # the same figure gives the same file
}

_LOCK = threading.RLock()  # a style belongs to the whole process


@contextlib.contextmanager
def _use_style() -> Iterator[None]:
    with _LOCK, style.context(["default", STYLE]), np.errstate(all="ignore"):
        yield


styled = _use_style()
"""Decorator of drawing functions: they use this style only and restore matplotlib's afterwards."""


def new_figure(width: float = WIDTH, height: float = 4.0) -> Figure:
    """Return an empty figure, with its size in inches, outside pyplot's global state."""
    return Figure(figsize=(width, height), layout="constrained")


def class_colours(classes: int) -> list[Any]:
    """Return one colour for each class."""
    if classes <= len(CLASSES):
        return list(CLASSES[:classes])
    return list(matplotlib.colormaps[MANY_CLASSES].resampled(classes)(range(classes)))


def count_images(axes: Axes) -> None:
    """Format the x axis as the number of images seen in training."""
    axes.set_xlabel("images seen")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda images, _: abbreviate(images)))


def abbreviate(count: float) -> str:
    """Return a count with a unit prefix, such as 50k or 1.25M."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(count) >= size:
            return f"{count / size:.4g}{unit}"
    return f"{count:.4g}"
