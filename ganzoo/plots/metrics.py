"""Plot metrics over the training, with the best and the final value."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ganzoo.errors import PlotError, did_you_mean, enumerate_names, quantity
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
from ganzoo.registry import better_of
from ganzoo.spec import Better

PANEL_HEIGHT = 2.6  # inches
MARK = 7.0  # size of a marker, in points
TITLES: dict[Better | None, str] = {
    "higher": " (higher is better)",
    "lower": " (lower is better)",
    "neither": "",
    None: " (no installed metric declares which is better)",
}


@styled
def draw_metrics(
    lines: Sequence[Mapping[str, Any]],
    names: Sequence[str] = (),
    *,
    better: Mapping[str, Better] | None = None,
) -> Figure:
    """Plot metrics over images seen, one panel per metric, and mark the best and the final value.

    The best value is marked if an installed metric declares whether higher or lower values are
    better.

    Only lines of one protocol are comparable. If lines hold a ``protocol``, lines with another
    protocol than the last line's are omitted, and the figure states their number. A line may lack
    some metrics, such as those whose value was NaN.

    Args:
        lines: lines of metrics.jsonl, with ``images``, ``metrics`` and optionally ``protocol``.
        names: metrics to plot; by default all.
        better: whether higher or lower values are better, by metric name; it replaces what metrics
            declare.

    Raises:
        PlotError: there are no lines, a metric was not measured, or a metric has no finite value.
    """
    if not lines:
        raise PlotError(
            "there is nothing to draw: the run has no measurements. Train with --evaluate-every N."
        )
    protocol = _conditions(lines[-1])
    comparable = [line for line in lines if _conditions(line) == protocol]
    known = list(dict.fromkeys(name for line in comparable for name in line["metrics"]))
    for name in names:
        if name not in known:
            raise PlotError(
                f"the run has no metric {name!r}.{did_you_mean(name, known)} "
                f"Choose from {enumerate_names(known)}."
            )
    drawable = [name for name in known if any(map(math.isfinite, _values(comparable, name)))]
    chosen = list(names) or drawable or known
    figure = new_figure(WIDTH, 0.4 + PANEL_HEIGHT * len(chosen))
    panels = figure.subplots(len(chosen), 1, squeeze=False)[:, 0]
    for name, panel in zip(chosen, panels, strict=True):
        _draw(panel, name, comparable, (better or {}).get(name) or better_of(name))
    if omitted := len(lines) - len(comparable):
        figure.supxlabel(
            f"omitted: {quantity(omitted, 'line')} of another protocol",
            **{"size": "small", "color": GREY, "x": 0.01, "ha": "left"},
        )
    return figure


def _values(lines: Sequence[Mapping[str, Any]], name: str) -> list[float]:
    return [line["metrics"][name] for line in lines if name in line["metrics"]]


def _conditions(line: Mapping[str, Any]) -> Any:
    """Return a line's protocol without the fields that tell which metrics it has."""
    protocol = line.get("protocol")
    if not isinstance(protocol, Mapping):
        return protocol
    return {key: value for key, value in protocol.items() if key not in ("settings", "left_out")}


def _draw(
    panel: Axes, name: str, lines: Sequence[Mapping[str, Any]], better: Better | None
) -> None:
    values = [(line["images"], line["metrics"].get(name)) for line in lines]
    finite = [(x, y) for x, y in values if y is not None and math.isfinite(y)]
    if not finite:
        raise PlotError(f"there is nothing to draw: the metric {name!r} has no finite value.")
    x, y = np.array(finite, dtype=np.float64).T
    panel.plot(x, y, color=BLUE, marker=".", label=name)
    final = len(y) - 1
    marks = [(final, "final", "s", VERMILLION)]
    if better in ("higher", "lower"):
        best = int(y.argmax() if better == "higher" else y.argmin())
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
            label=f"{title}: {y[k]:.4g} at {abbreviate(x[k])} images",
        )[0]
        for k, title, marker, colour in marks
    ]
    panel.legend(handles=handles)
    panel.margins(x=0.03, y=0.1)
    label = name.replace("_", " ")
    panel.set_title(f"{label}{TITLES[better]}")
    panel.set_ylabel(label)
    count_images(panel)
