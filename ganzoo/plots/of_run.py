"""All figures of a run."""

from __future__ import annotations

from pathlib import Path

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
    sample_kinds,
)
from ganzoo.plots.saving import save_animation, save_figure

PLOTS = "plots"


def draw_run(run: Path) -> list[Path]:
    """Write all figures of a run to its folder ``plots``.

    They are ``curves.png`` of the log, ``metrics.png`` of the evaluations, and ``progress.png``,
    ``.gif`` and ``.webp`` of the samples. Other image files of the run have their own figures, such
    as ``progress-reconstructions``. Figures without data are skipped.

    Returns:
        Paths of the written files.

    Raises:
        RunNotFoundError: the folder contains no run.
        PlotError, ImageFileError: a file of the run is damaged.
        OutputError: a figure cannot be written.
    """
    check_run(run)
    written = []
    if _holds(run / LOG):
        written.append(save_figure(draw_curves(read_log(run)), run / PLOTS / "curves.png"))
    if _holds(run / METRICS):
        written.append(save_figure(draw_metrics(read_metrics(run)), run / PLOTS / "metrics.png"))
    for kind in sample_kinds(run):
        name = run / PLOTS / ("progress" if kind == SAMPLES else f"progress-{kind}")
        samples = [(moment.images, moment.read()) for moment in find_moments(run, kind)]
        frames = animate_progress(samples)
        written += [
            save_figure(draw_progress(samples), name.with_suffix(".png")),
            save_animation(frames, name.with_suffix(".gif")),
            save_animation(frames, name.with_suffix(".webp")),
        ]
    return written


def _holds(file: Path) -> bool:
    """Return whether a log has at least one complete line."""
    return file.is_file() and b"\n" in file.read_bytes()
