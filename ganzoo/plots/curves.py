"""Training curves: the loss terms of each player, the metrics and the speed."""

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
SMOOTHED_SHARE = 0.04  # width of the moving average, as a share of the run's images
SMOOTHED_POINTS = 4  # minimum average number of points in the window of a smoothed line
MARKED_POINTS = 40  # curves with fewer points have markers
CENTRAL = (2.0, 98.0)  # percentiles of a curve that the axis always shows
BEYOND = 2.5  # an axis is cut if the whole range is this many times the central range
WIDE = 12.0  # an axis is logarithmic if the maximum is this many times the median
TICKS = 6  # number of ticks of such an axis
CHANCE = 0.5  # accuracy of a random guess

TOTALS = "totals"  # of a line: sums of terms with their weights, beside terms without
WEIGHTED = "_weighted"  # suffix of a term that is multiplied by its weight

Array = NDArray[np.float64]


@styled
def draw_curves(lines: Sequence[Mapping[str, Any]]) -> Figure:
    """Draw a run's log over the images seen, one panel for each curve.

    Terms with a weight have two panels, without and with the weight, unless the weight is 1. A note
    says so if a log holds only products, as those of models that were trained with earlier
    versions.

    The pale line shows the logged values, the strong line a centred moving average, if there are
    enough points. A note gives the width of the average in images. An axis is cut if some values
    are far outside the central 96 % of a curve, such as those at the start of a training; a note
    gives the extreme value. The axis is logarithmic if the maximum is then more than 12 times the
    median, or an inverse hyperbolic sine if some values are negative; its label says so.

    Args:
        lines: lines of log.jsonl, with ``images``, ``terms``, ``metrics`` and
            ``images_per_second``.

    Raises:
        PlotError: there are no lines, or no finite number.
    """
    curves = _curves(lines)
    if not curves:
        raise PlotError(
            "cannot draw curves: the log contains no finite number. Check its last lines for NaN."
        )
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
    notes = []
    if any(smoothed):
        notes.append(
            f"pale: as logged; strong: mean over {window:,.0f} images, centred at each point"
        )
    if not any(TOTALS in line for line in lines):  # a log of an earlier version
        notes.append("terms are multiplied by their weights")
    if notes:
        figure.supxlabel("; ".join(notes), size="small", color=GREY, x=0.01, ha="left")
    return figure


def smooth(x: Array, y: Array, window: float) -> Array:
    """Return the centred moving average of values, with a shorter window at both ends.

    Args:
        x: ascending positions (n,).
        y: values (n,).
        window: width of the window in the unit of `x`.
    """
    first = np.searchsorted(x, x - window / 2, side="left")
    last = np.searchsorted(x, x + window / 2, side="right")
    sums = np.concatenate([[0.0], np.cumsum(y)])
    return np.asarray((sums[last] - sums[first]) / (last - first))


def _curves(lines: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], tuple[Array, Array]]:
    """Return the points of each non-empty curve by its group of the log and its name."""
    curves = {}
    for group in ("terms", "metrics"):
        for name in dict.fromkeys(name for line in lines for name in line.get(group, {})):
            # A term whose weight is 1 has the same curve twice.
            plain = name.removesuffix(WEIGHTED)
            if plain == name or any(
                line.get(group, {}).get(name) != line.get(group, {}).get(plain) for line in lines
            ):
                curves[group, name] = _points(
                    (line["images"], line.get(group, {}).get(name)) for line in lines
                )
    curves["", "speed"] = _points((x["images"], x.get("images_per_second")) for x in lines)
    return {key: points for key, points in curves.items() if len(points[0])}


def _draw(panel: Axes, x: Array, y: Array, window: float, colour: str) -> bool:
    """Draw a curve, smoothed if it has enough points, and return whether it is smoothed."""
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
    """Cut the axis if some values are far outside the central range, and note the extremes."""
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
                1.0, place, f"continues to {value:.4g}", transform=panel.transAxes,
                color=GREY, ha="right", va=align, size="small",
            )  # fmt: skip


def _scale(panel: Axes, y: Array) -> str:
    """Set the scale of the y axis, and return the note on it for the axis label."""
    limits = panel.get_ylim()
    visible = y[(y >= limits[0]) & (y <= limits[1])]
    size = np.abs(visible)
    median = float(np.median(size))
    if median == 0 or size.max() <= WIDE * median:
        return ""
    if visible.min() > 0:
        panel.set_yscale("log", subs=range(2, 10))
        panel.set_ylim(visible.min() / 1.2, visible.max() * 1.2)
        panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        panel.yaxis.set_minor_formatter(NullFormatter())
        note = ", log scale"
    else:
        panel.set_yscale("asinh", linear_width=median)
        # The default ticks, powers of ten, are too few.
        panel.yaxis.set_major_locator(AsinhLocator(median, numticks=TICKS, base=0))
        panel.yaxis.set_minor_locator(NullLocator())
        note = ", asinh scale"
    panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.4g}"))
    return note


def _player(name: str) -> str:
    return name.rpartition("/")[0]


def _points(pairs: Iterable[tuple[float, float | None]]) -> tuple[Array, Array]:
    finite = [(x, y) for x, y in pairs if y is not None and math.isfinite(y)]
    x, y = np.array(finite, dtype=np.float64).reshape(-1, 2).T
    return x, y
