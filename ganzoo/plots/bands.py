"""Curves of several trainings: the mean over the seeds, and the band from lowest to highest."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ganzoo.errors import PlotError
from ganzoo.plots.metrics import TITLES
from ganzoo.plots.style import CLASSES, WIDTH, class_colours, count_images, new_figure, styled
from ganzoo.registry import better_of

Curve = Sequence[tuple[int, float]]

PANEL_HEIGHT = 3.0  # inches
LEGEND_LINE = 0.2  # inches
WIDE = 12.0  # an axis is logarithmic if the maximum is this many times the median
MARKED_POINTS = 40  # curves with fewer points have markers


@styled
def draw_bands(panels: Mapping[str, Mapping[str, Sequence[Curve]]]) -> Figure:
    """Draw the mean of the curves of each label, and a band from the lowest to the highest value.

    At images seen that only some curves of a label have, mean and band are of those.

    Args:
        panels: by metric, the curves of each label: pairs of images seen and value.

    Raises:
        PlotError: no curve has a finite value.
    """
    names = [name for name, curves in panels.items() if any(map(_points, curves.values()))]
    if not names:
        raise PlotError("there is nothing to draw: no run has an evaluation with a finite value.")
    labels = list(
        dict.fromkeys(
            label for curves in panels.values() for label, each in curves.items() if _points(each)
        )
    )
    colours = dict(zip(labels, _colours(len(labels)), strict=True))
    rows = math.ceil(len(labels) / 4)
    figure = new_figure(WIDTH, PANEL_HEIGHT * len(names) + LEGEND_LINE * rows)
    axes = figure.subplots(len(names), 1, squeeze=False)[:, 0]
    for name, panel in zip(names, axes, strict=True):
        for label, curves in panels[name].items():
            if points := _points(curves):
                _draw(panel, points, colours[label])
        panel.margins(x=0.02)
        panel.set_title(f"{name.replace('_', ' ')}{TITLES[better_of(name)]}")
        count_images(panel)
        values = [
            y for curves in panels[name].values() for ys in _points(curves).values() for y in ys
        ]
        if min(values) > 0 and max(values) > WIDE * float(np.median(values)):
            panel.set_yscale("log")
    lines = [axes[0].plot([], [], color=colours[label], label=label)[0] for label in labels]
    figure.legend(handles=lines, loc="outside upper left", ncols=4)
    return figure


def _colours(count: int) -> list[object]:
    # The pale and the dark colours of neighbouring labels differ more in this order.
    if count <= len(CLASSES):
        order = (0, 6, 3, 1, 4, 8, 2, 5, 7, 9)
        return [CLASSES[k] for k in order[:count]]
    return class_colours(count)


def _points(curves: Sequence[Curve]) -> dict[int, list[float]]:
    """Return the finite values of all curves by images seen."""
    points: dict[int, list[float]] = {}
    for curve in curves:
        for images, value in curve:
            if math.isfinite(value):
                points.setdefault(images, []).append(value)
    return dict(sorted(points.items()))


def _draw(panel: Axes, points: Mapping[int, Sequence[float]], colour: object) -> None:
    x = np.array(list(points))
    low, mean, high = (
        np.array([statistic(values) for values in points.values()])
        for statistic in (min, np.mean, max)
    )
    marker = "." if len(x) < MARKED_POINTS else ""
    panel.plot(x, mean, color=colour, marker=marker)
    panel.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)
