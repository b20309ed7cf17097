"""How a model's measured quality went over its training, its best and its final value."""

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

PANEL_HEIGHT = 2.6  # inches
MARK = 7.0  # size of a mark, in points
# Words in the names of metrics of which more is better; of all others less is.
HIGHER_IS_BETTER = (
    "precision",
    "recall",
    "density",
    "coverage",
    "accuracy",
    "score",
    "ssim",
    "psnr",
    "modes",
)


@styled
def draw_metrics(
    lines: Sequence[Mapping[str, Any]],
    names: Sequence[str] = (),
    *,
    higher_is_better: Mapping[str, bool] | None = None,
) -> Figure:
    """Draw metrics over images seen, a panel each, with the best and the final value written.

    Values are compared only where they were measured in one way: of lines that state a ``protocol``
    those with the last line's are drawn, and it is said how many others there are.

    Args:
        lines: of metrics.jsonl, with ``images``, ``metrics`` and perhaps ``protocol``.
        names: the metrics to draw; by default all.
        higher_is_better: of which metrics more is better, where their names do not say so.

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
        more = (higher_is_better or {}).get(name, is_higher_better(name))
        _draw(panel, name, alike, more)
    if others := len(lines) - len(alike):
        figure.supxlabel(
            f"{others} lines that another protocol measured are left out",
            **{"size": "small", "color": GREY, "x": 0.01, "ha": "left"},
        )
    return figure


def is_higher_better(name: str) -> bool:
    """Whether more of a metric is better, as far as its name says."""
    return any(word in name.lower() for word in HIGHER_IS_BETTER)


def _draw(panel: Axes, name: str, lines: Sequence[Mapping[str, Any]], more: bool) -> None:
    found = [(line["images"], line["metrics"].get(name)) for line in lines]
    finite = [(x, y) for x, y in found if y is not None and math.isfinite(y)]
    if not finite:
        raise PlotError(f"there is nothing to draw: the metric {name!r} never was a finite number.")
    x, y = np.array(finite, dtype=np.float64).T
    best, final = int(y.argmax() if more else y.argmin()), len(y) - 1
    panel.plot(x, y, color=BLUE, marker=".", label=name)
    marks = [(best, "best", "o", GREEN), (final, "final", "s", VERMILLION)]
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
    panel.set_title(f"{words} ({'higher' if more else 'lower'} is better)")
    panel.set_ylabel(words)
    count_images(panel)
