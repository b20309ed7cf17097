"""The course of a training: every term of every player, what was watched, and the speed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import AsinhLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator
from numpy.typing import NDArray

from ganzoo.errors import PlotError
from ganzoo.plots.style import (
    GREY,
    INK,
    PLAYERS,
    WIDTH,
    abbreviate,
    count_images,
    new_figure,
    styled,
)

COLUMNS = 2
PANEL_HEIGHT = 1.9  # inches
SMOOTHED_SHARE = 0.04  # of the images of a run, over which a smoothed line averages
SMOOTHED_POINTS = 4  # at least so many points on average, else a line is not smoothed
MARKED_POINTS = 40  # fewer than so many are marked each
CENTRAL = (2.0, 98.0)  # percentiles between which an axis shows all of a curve
BEYOND = 2.5  # where the whole range is so many times the central one, it is cut
WIDE = 12.0  # where the largest shown is so many times the median, an axis is logarithmic
TICKS = 6  # of such an axis
CHANCE = 0.5  # accuracy of one who guesses

Array = NDArray[np.float64]


@styled
def draw_curves(lines: Sequence[Mapping[str, Any]]) -> Figure:
    """Draw a run's log over images seen: a panel a curve, each with a scale of its own.

    The pale line is what was logged. Over it lies its mean over a share of the run, centred at each
    point, where there are enough of them; a note says over how many images. An axis leaves out what
    lies far beyond the central 96 % of a curve, such as the first values of a training, and says up
    to where that goes. One on which the largest value is then more than 12 times the median is
    logarithmic, or where values are negative an inverse hyperbolic sine, which says so too.

    Args:
        lines: of log.jsonl, with ``images``, ``terms``, ``metrics`` and ``images_per_second``.

    Raises:
        PlotError: no lines, or none with a finite number.
    """
    curves = _curves(lines)
    if not curves:
        raise PlotError("there is nothing to draw: the log holds no finite number.")
    window = SMOOTHED_SHARE * max(x[-1] - x[0] for x, _ in curves.values())
    rows = math.ceil(len(curves) / COLUMNS)
    figure = new_figure(WIDTH, 0.4 + PANEL_HEIGHT * rows)
    panels = list(figure.subplots(rows, COLUMNS, squeeze=False).flat)
    players = list(dict.fromkeys(_player(name) for group, name in curves if group))
    smoothed = []
    used, spare = panels[: len(curves)], panels[len(curves) :]
    for panel, ((group, name), (x, y)) in zip(used, curves.items(), strict=True):
        colour = PLAYERS[players.index(_player(name)) % len(PLAYERS)] if group else INK
        smoothed.append(_draw(panel, x, y, window, colour))
        _label(panel, group, name, y)
        count_images(panel)
    for panel in spare:
        panel.remove()
    if any(smoothed):
        note = f"pale: as logged; strong: mean over {window:,.0f} images, centred at each point"
        figure.supxlabel(note, size="small", color=GREY, x=0.01, ha="left")
    return figure


def smooth(x: Array, y: Array, window: float) -> Array:
    """Return at each point the mean of the values within half a window of it, at the ends of fewer.

    Args:
        x: ascending positions (n,).
        y: values (n,).
        window: its whole width, in the unit of `x`.
    """
    first = np.searchsorted(x, x - window / 2, side="left")
    last = np.searchsorted(x, x + window / 2, side="right")
    sums = np.concatenate([[0.0], np.cumsum(y)])
    return np.asarray((sums[last] - sums[first]) / (last - first))


def _curves(lines: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], tuple[Array, Array]]:
    """Points of each curve that has any, by its group of the log and its name in it."""
    curves = {}
    for group in ("terms", "metrics"):
        for name in dict.fromkeys(name for line in lines for name in line.get(group, {})):
            curves[group, name] = _points((x["images"], x.get(group, {}).get(name)) for x in lines)
    curves["", "speed"] = _points((x["images"], x.get("images_per_second")) for x in lines)
    return {key: points for key, points in curves.items() if len(points[0])}


def _draw(panel: Axes, x: Array, y: Array, window: float, colour: str) -> bool:
    """Draw a curve, smoothed where it has enough points; say whether it was."""
    dense = len(x) > 1 and window * (len(x) - 1) >= SMOOTHED_POINTS * (x[-1] - x[0])
    if dense:
        panel.plot(x, y, color=colour, alpha=0.3, linewidth=0.8, label="raw")
        panel.plot(x, smooth(x, y, window), color=colour, label="smoothed")
    else:
        marker = "." if len(x) < MARKED_POINTS else ""
        panel.plot(x, y, color=colour, marker=marker, label="raw")
    return dense


def _label(panel: Axes, group: str, name: str, y: Array) -> None:
    player, _, curve = name.rpartition("/")
    panel.set_title((f"{player}: {curve}" if player else curve).replace("_", " "))
    if not group:
        panel.set_ylabel("images/s")
        panel.set_ylim(bottom=0)
        panel.yaxis.set_major_formatter(FuncFormatter(lambda rate, _: abbreviate(rate)))
    elif group == "metrics" and curve == "accuracy":
        panel.set_ylabel("share correct")
        panel.set_ylim(min(CHANCE, y.min()) - 0.05, 1.02)
        panel.axhline(CHANCE, color=GREY, linewidth=0.8, linestyle=":")
        panel.annotate(
            "chance", (1, CHANCE), (0, 2), panel.get_yaxis_transform(), "offset points",
            color=GREY, ha="right", size="small",
        )  # fmt: skip
    else:
        _cut(panel, y)
        panel.set_ylabel(("loss" if group == "terms" else "value") + _scale(panel, y))


def _cut(panel: Axes, y: Array) -> None:
    """Leave out what lies far beyond the rest, and say so."""
    low, high = np.percentile(y, CENTRAL)
    if y.max() - y.min() <= BEYOND * (high - low) or low == high:
        return
    room = 0.2 * (high - low)
    bottom, top = max(y.min() - room / 4, low - room), min(y.max() + room / 4, high + room)
    panel.set_ylim(bottom, top)
    for beyond, value, place, align in (
        (y.max() > top, y.max(), 1.0, "top"),
        (y.min() < bottom, y.min(), 0.0, "bottom"),
    ):
        if beyond:
            panel.text(
                1.0, place, f"beyond: to {value:.4g}", transform=panel.transAxes,
                color=GREY, ha="right", va=align, size="small",
            )  # fmt: skip


def _scale(panel: Axes, y: Array) -> str:
    """Choose an axis on which small values show beside large ones; return what to say of it."""
    limits = panel.get_ylim()
    shown = y[(y >= limits[0]) & (y <= limits[1])]
    size = np.abs(shown)
    median = float(np.median(size))
    if median == 0 or size.max() <= WIDE * median:
        return ""
    if shown.min() > 0:
        panel.set_yscale("log", subs=range(2, 10))
        panel.set_ylim(shown.min() / 1.2, shown.max() * 1.2)
        panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        panel.yaxis.set_minor_formatter(NullFormatter())
        said = ", log scale"
    else:
        panel.set_yscale("asinh", linear_width=median)
        # Its own ticks, powers of ten, are too few.
        panel.yaxis.set_major_locator(AsinhLocator(median, numticks=TICKS, base=0))
        panel.yaxis.set_minor_locator(NullLocator())
        said = ", asinh scale"
    panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.4g}"))
    return said


def _player(name: str) -> str:
    return name.rpartition("/")[0]


def _points(found: Iterable[tuple[float, float | None]]) -> tuple[Array, Array]:
    finite = [(x, y) for x, y in found if y is not None and math.isfinite(y)]
    x, y = np.array(finite, dtype=np.float64).reshape(-1, 2).T
    return x, y
