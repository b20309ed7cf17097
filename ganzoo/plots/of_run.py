"""All figures of a run."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

from matplotlib.figure import Figure

from ganzoo.errors import PlotError
from ganzoo.plots.curves import draw_curves
from ganzoo.plots.metrics import draw_metrics
from ganzoo.plots.progress import animate_progress, draw_progress
from ganzoo.plots.run_files import (
    LOG,
    METRICS,
    SAMPLES,
    check_run,
    find_moments,
    read_log,
    read_metrics,
    read_moments,
    sample_kinds,
)
from ganzoo.plots.saving import save_animation, save_figure

PLOTS = "plots"


def draw_run(run: Path) -> list[Path]:
    """Write all figures of a run to its folder ``plots``.

    They are ``curves.png`` of the log, ``metrics.png`` of the evaluations, and ``progress.png``,
    ``.gif`` and ``.webp`` of the samples. Other image files of the run have their own figures, such
    as ``progress-reconstructions``. Figures without data are skipped.
    Warns of damaged files, which are left out, and of figures whose files are all damaged.

    Returns:
        Paths of the written files.

    Raises:
        RunNotFoundError: the folder contains no run.
        PlotError: a link leads out of the run's folder.
        OutputError: a figure cannot be written.
    """
    check_run(run)
    parts: list[Callable[[], list[Path]]] = []
    if _holds(run / LOG):
        parts.append(lambda: [_save(run, "curves", draw_curves(read_log(run)))])
    if _holds(run / METRICS):
        parts.append(lambda: [_save(run, "metrics", draw_metrics(read_metrics(run)))])
    parts += [partial(_draw_samples, run, kind) for kind in sample_kinds(run)]
    written = []
    for part in parts:
        try:
            written += part()
        except PlotError as error:
            warnings.warn(f"a figure is left out: {error}", stacklevel=2)
    return written


def _draw_samples(run: Path, kind: str) -> list[Path]:
    samples = read_moments(find_moments(run, kind))
    frames = animate_progress(samples)
    name = "progress" if kind == SAMPLES else f"progress-{kind}"
    file = run / PLOTS / name
    return [
        _save(run, name, draw_progress(samples)),
        save_animation(frames, file.with_suffix(".gif")),
        save_animation(frames, file.with_suffix(".webp")),
    ]


def _save(run: Path, name: str, figure: Figure) -> Path:
    return save_figure(figure, run / PLOTS / f"{name}.png")


def _holds(file: Path) -> bool:
    """Return whether a log has at least one complete line."""
    return file.is_file() and b"\n" in file.read_bytes()
