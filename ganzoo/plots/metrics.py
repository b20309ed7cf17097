"""Figures of a model over its training, with the best and the final value."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ganzoo.errors import PlotError, did_you_mean, enumerate_names
from ganzoo.plots.style import (
    BLUE,
    GREEN,
    GREY,
    VERMILLION,
    WIDTH,
    abbreviate,
    count_images,
    new_figure,
    styled,
)
from ganzoo.registry import direction_of
from ganzoo.spec import Direction

PANEL_HEIGHT = 2.6  # inches
MARK = 7.0  # size of a mark, in points
TITLES: dict[Direction | None, str] = {
    "higher": " (higher is better)",
    "lower": " (lower is better)",
    "neither": "",
    None: " (no installed metric says which values are better)",
}


@styled
def draw_metrics(
    lines: Sequence[Mapping[str, Any]],
    names: Sequence[str] = (),
    *,
    directions: Mapping[str, Direction] | None = None,
) -> Figure:
    """Draw figures over images seen, a panel each, with the best and the final value marked.

    The registered metrics declare which values of a figure are better. The best value is not marked
    of a figure that no installed metric declares, nor of one that has no better direction.

    Values are compared only where they were measured in one way: of lines that state a ``protocol``
    those with the last line's are drawn, and it is said how many others there are.

    Args:
        lines: of metrics.jsonl, with ``images``, ``metrics`` and perhaps ``protocol``.
        names: the metrics to draw; by default all.
        directions: directions by figure, in place of those that the metrics declare.

    Raises:
        PlotError: no lines, a metric that was not measured, or one that never was a finite number.
    """
    if not lines:
        raise PlotError("there is nothing to draw: nothing was measured.")
    protocol = lines[-1].get("protocol")
    alike = [line for line in lines if line.get("protocol") == protocol]
    known = list(dict.fromkeys(name for line in alike for name in line["metrics"]))
    for name in names:
        if name not in known:
            raise PlotError(
                f"the metric {name!r} was not measured.{did_you_mean(name, known)} "
                f"Those that were: {enumerate_names(known)}."
            )
    chosen = list(names) or known
    figure = new_figure(WIDTH, 0.4 + PANEL_HEIGHT * len(chosen))
    panels = figure.subplots(len(chosen), 1, squeeze=False)[:, 0]
    for name, panel in zip(chosen, panels, strict=True):
        _draw(panel, name, alike, (directions or {}).get(name) or direction_of(name))
    if others := len(lines) - len(alike):
        figure.supxlabel(
            f"{others} lines that another protocol measured are left out",
            **{"size": "small", "color": GREY, "x": 0.01, "ha": "left"},
        )
    return figure


def _draw(
    panel: Axes, name: str, lines: Sequence[Mapping[str, Any]], direction: Direction | None
) -> None:
    values = [(line["images"], line["metrics"].get(name)) for line in lines]
    finite = [(x, y) for x, y in values if y is not None and math.isfinite(y)]
    if not finite:
        raise PlotError(f"there is nothing to draw: the metric {name!r} never was a finite number.")
    x, y = np.array(finite, dtype=np.float64).T
    panel.plot(x, y, color=BLUE, marker=".", label=name)
    final = len(y) - 1
    marks = [(final, "final", "s", VERMILLION)]
    if direction in ("higher", "lower"):
        best = int(y.argmax() if direction == "higher" else y.argmin())
        marks.insert(0, (best, "best", "o", GREEN))
        if best == final:
            marks = [(final, "best and final", "o", GREEN)]
    handles = [
        panel.plot(
            x[k : k + 1],
            y[k : k + 1],
            color=colour,
            marker=marker,
            markersize=MARK,
            linestyle="",
            label=f"{what}: {y[k]:.4g} at {abbreviate(x[k])} images",
        )[0]
        for k, what, marker, colour in marks
    ]
    panel.legend(handles=handles)
    panel.margins(x=0.03, y=0.1)
    words = name.replace("_", " ")
    panel.set_title(f"{words}{TITLES[direction]}")
    panel.set_ylabel(words)
    count_images(panel)
