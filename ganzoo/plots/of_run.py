"""All the pictures that a run's folder has the files for."""

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
    picture_kinds,
    read_log,
    read_metrics,
)
from ganzoo.plots.saving import save_animation, save_figure

PLOTS = "plots"


def draw_run(run: Path) -> list[Path]:
    """Write all pictures that a run can have so far into its folder ``plots``.

    These are ``curves.png`` of its log, ``metrics.png`` of its measurements, and of its pictures
    ``progress.png``, ``.gif`` and ``.webp``; what else its pictures show, such as reconstructions,
    is named ``progress-reconstructions``. What it has no files for yet is left out.

    Returns:
        The files that were written.

    Raises:
        RunNotFoundError: no run there.
        PlotError, ImageFileError: one of its files is damaged.
        OutputError: a picture cannot be written.
    """
    check_run(run)
    written = []
    if _holds(run / LOG):
        written.append(save_figure(draw_curves(read_log(run)), run / PLOTS / "curves.png"))
    if _holds(run / METRICS):
        written.append(save_figure(draw_metrics(read_metrics(run)), run / PLOTS / "metrics.png"))
    for kind in picture_kinds(run):
        name = run / PLOTS / ("progress" if kind == SAMPLES else f"progress-{kind}")
        pictures = [(moment.images, moment.read()) for moment in find_moments(run, kind)]
        frames = animate_progress(pictures)
        written += [
            save_figure(draw_progress(pictures), name.with_suffix(".png")),
            save_animation(frames, name.with_suffix(".gif")),
            save_animation(frames, name.with_suffix(".webp")),
        ]
    return written


def _holds(file: Path) -> bool:
    """Whether a log has a whole line."""
    return file.is_file() and b"\n" in file.read_bytes()
