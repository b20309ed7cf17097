"""Draw what a run's folder holds."""

from __future__ import annotations

from pathlib import Path

from ganzoo.cli.arguments import Folder, Output
from ganzoo.errors import PlotError


def curves(run: Folder, /, output: Output = Path("curves.png")) -> None:
    """Draw every term of every player, what was watched, and the speed over images seen.

    Args:
        run: a run's folder.
        output: the picture to write, .png or .svg.
    """
    from ganzoo import plots

    plots.check_ending(output, plots.FIGURES)
    lines = plots.read_log(run)
    print(f"{plots.save_figure(plots.draw_curves(lines), output)}: {len(lines)} lines of the log")


def metric(
    run: Folder, /, metrics: tuple[str, ...] = (), output: Output = Path("metric.png")
) -> None:
    """Draw metrics over images seen, the best and the final value marked.

    The best is marked where an installed metric says which values are better.

    Args:
        run: a run's folder.
        metrics: which; by default all that were measured.
        output: the picture to write, .png or .svg.
    """
    from ganzoo import plots

    plots.check_ending(output, plots.FIGURES)
    lines = plots.read_metrics(run)
    written = plots.save_figure(plots.draw_metrics(lines, metrics), output)
    print(f"{written}: {len(lines)} measurements")


def progress(
    run: Folder, /, picture: str = "samples", output: Output = Path("progress.png")
) -> None:
    """Draw how the same seeds' images changed, as a contact sheet or an animation.

    Args:
        run: a run's folder.
        picture: samples, or what else a run's pictures show: reconstructions, manifold.
        output: .png or .svg for a contact sheet, .gif or .webp for an animation.
    """
    from ganzoo import plots

    plots.check_ending(output, plots.FIGURES + plots.ANIMATIONS)
    found = [(moment.images, moment.read()) for moment in plots.find_moments(run, picture)]
    if output.suffix.lower() in plots.ANIMATIONS:
        plots.save_animation(plots.animate_progress(found), output)
    else:
        plots.save_figure(plots.draw_progress(found), output)
    print(f"{output}: {len(found)} pictures, to {found[-1][0]:,} images seen")


def run(run: Folder, /) -> None:
    """Draw all of these that a run has the files for, into its folder 'plots'.

    Args:
        run: a run's folder.
    """
    from ganzoo import plots

    written = plots.draw_run(run)
    if not written:
        raise PlotError(f"there is nothing to draw: {run} has logged nothing yet.")
    for file in written:
        print(file)
