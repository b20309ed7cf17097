"""Compare the evaluations of runs: curves over images seen, and a table of final and best values.

python tools/compare_runs.py "LABEL=RUNS" ... [--metric frechet_distance] [--log] [-o FILE.png]

RUNS is the folder of a run, or a pattern for the runs of several seeds, such as "runs/scratch-*".
Each label has a colour: thin lines are its runs, the thick line is their mean, and the band is the
range from the lowest to the highest. Runs that were measured differently, such as on other images
or with another extractor, are an error.
"""

import argparse
import itertools
import json
import os
import sys
from collections.abc import Mapping, Sequence
from glob import glob
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from ganzoo.errors import GanzooError, PlotError
from ganzoo.plots import read_metrics, save_figure
from ganzoo.plots.style import CLASSES, PLAYERS, WIDTH, count_images, new_figure, styled
from ganzoo.registry import better_of

# Fields of a protocol that differ between comparable runs.
FREE = ("seed", "settings", "left_out", "hardware", "versions")
HEIGHT = 4.6  # inches

Curve = tuple[np.ndarray, np.ndarray]  # images seen and values of the metric, both (n,)


def find_runs(pattern: str) -> list[Path]:
    """Return the folder of this name, or those that match a pattern.

    Raises:
        PlotError: there are none.
    """
    names = [pattern] if os.path.exists(pattern) else sorted(glob(pattern))
    runs = [Path(name) for name in names]
    if not runs:
        raise PlotError(
            f"no run at {pattern}. Pass LABEL=FOLDER, such as 'scratch=runs/scratch-*'."
        )
    return runs


def read_curves(groups: Mapping[str, Sequence[Path]], metric: str) -> dict[str, list[Curve]]:
    """Return the curve of each run by label.

    Raises:
        PlotError: a run has no evaluations or lacks the metric, or two protocols differ.
    """
    curves: dict[str, list[Curve]] = {}
    first: tuple[Path, Any] | None = None
    for label, runs in groups.items():
        for run in runs:
            lines = read_metrics(run)
            for line in lines:
                protocol = comparable(line)
                if first is None:
                    first = run, protocol
                elif protocol != first[1]:
                    raise PlotError(describe_difference(first, (run, protocol)))
            points = [(x["images"], x["metrics"][metric]) for x in lines if metric in x["metrics"]]
            if not points:
                known = ", ".join(lines[-1]["metrics"])
                raise PlotError(f"{run} has no metric {metric!r}. Choose --metric from {known}.")
            x, y = np.array(points, np.float64).T
            curves.setdefault(label, []).append((x, y))
    return curves


def comparable(line: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a line's protocol that all compared runs must share."""
    return {key: value for key, value in line.get("protocol", {}).items() if key not in FREE}


def describe_difference(one: tuple[Path, Any], other: tuple[Path, Any]) -> str:
    """Return the message about two runs whose protocols differ."""
    (run, protocol), (other_run, other_protocol) = one, other
    fields = sorted(
        key for key in {*protocol, *other_protocol} if protocol.get(key) != other_protocol.get(key)
    )
    parts = ", ".join(
        f"{key}: {json.dumps(protocol.get(key))} and {json.dumps(other_protocol.get(key))}"
        for key in fields
    )
    return f"{run} and {other_run} are not comparable, because they differ in {parts}."


def shared_points(curves: Sequence[Curve]) -> tuple[np.ndarray, np.ndarray]:
    """Return the images at which all runs were measured, (n,), and the values there, (runs, n)."""
    shared = sorted(set.intersection(*(set(x.tolist()) for x, _ in curves)))
    values = [dict(zip(x.tolist(), y.tolist(), strict=True)) for x, y in curves]
    return np.array(shared), np.array([[each[x] for x in shared] for each in values])


@styled
def draw(curves: Mapping[str, Sequence[Curve]], metric: str, *, log: bool = False):
    """Return the figure of all curves.

    Args:
        curves: those of each run, by label.
        metric: name of the metric.
        log: whether the axis of the values is logarithmic.
    """
    figure = new_figure(WIDTH, HEIGHT)
    panel = figure.subplots()
    colours = PLAYERS if len(curves) <= len(PLAYERS) else CLASSES
    for (label, runs), colour in zip(curves.items(), itertools.cycle(colours), strict=False):
        x, values = shared_points(runs)
        note = f" (mean of {len(runs)} runs)" if len(runs) > 1 else ""
        mean = values.mean(axis=0)
        panel.plot(
            x, mean, color=colour, marker="o", markersize=4, linewidth=2.2, label=label + note
        )
        if len(runs) > 1:
            panel.fill_between(
                x, values.min(axis=0), values.max(axis=0), color=colour, alpha=0.15, linewidth=0
            )
            for own_x, own_y in runs:
                panel.plot(own_x, own_y, color=colour, linewidth=0.8, alpha=0.7)
    if log:
        panel.set_yscale("log")
        # The default labels are mathematical text, which this style shows as written.
        panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        panel.yaxis.set_minor_formatter(NullFormatter())
    name = metric.replace("_", " ").replace("frechet", "Fréchet")
    better = better_of(metric)
    panel.set_title(name + (f" ({better} is better)" if better in ("lower", "higher") else ""))
    panel.set_ylabel(name)
    count_images(panel)
    panel.legend()
    return figure


def table(curves: Mapping[str, Sequence[Curve]], metric: str) -> str:
    """Return final and best values of each label as a table in Markdown: mean, and each run."""
    pick = np.max if better_of(metric) == "higher" else np.min
    rows = [f"| {metric} | runs | images | final | best |", "|---|---|---|---|---|"]
    for label, runs in curves.items():
        final, best = ([choose(y) for _, y in runs] for choose in (lambda y: y[-1], pick))
        images = " to ".join(f"{n:,.0f}" for n in sorted({x[-1] for x, _ in runs}))
        rows.append(f"| {label} | {len(runs)} | {images} | {describe(final)} | {describe(best)} |")
    return "\n".join(rows)


def describe(values: Sequence[float]) -> str:
    """Return the mean of some values, and the values if there are several."""
    each = ", ".join(f"{value:.3g}" for value in values)
    return f"{np.mean(values):.3g} ({each})" if len(values) > 1 else each


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("groups", nargs="+", metavar="LABEL=RUNS")
    parser.add_argument("--metric", default="frechet_distance")
    parser.add_argument("--log", action="store_true", help="use a logarithmic axis for the values")
    parser.add_argument("-o", "--output", type=Path, help="file of the figure: .png or .svg")
    options = parser.parse_args(arguments)
    try:
        groups = {}
        for text in options.groups:
            label, separator, pattern = text.partition("=")
            if not separator:
                raise PlotError(
                    f"{text!r} has no label. Pass LABEL=RUNS, such as 'scratch={text}'."
                )
            groups[label] = find_runs(pattern)
        curves = read_curves(groups, options.metric)
        print(table(curves, options.metric))
        if options.output:
            save_figure(draw(curves, options.metric, log=options.log), options.output)
    except GanzooError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
