"""Plot the files of a run."""

from __future__ import annotations

from ganzoo.cli.arguments import Folder
from ganzoo.cli.outputs import MaybeOutput, choose_output
from ganzoo.cli.plotting.arguments import FigureFile
from ganzoo.errors import PlotError, quantity
from ganzoo.system.terminal import print_out


def curves(run: Folder, /, output: FigureFile = None) -> None:
    """Plot the loss terms of each player, the logged metrics and the speed over images seen.

    Args:
        run: folder of a run.
    """
    from ganzoo import plots

    output = choose_output(output, "curves.png")
    plots.check_ending(output, plots.FIGURES)
    lines = plots.read_log(run)
    print_out(f"{plots.save_figure(plots.draw_curves(lines), output)}: {len(lines)} log lines")


def metric(run: Folder, /, metrics: tuple[str, ...] = (), output: FigureFile = None) -> None:
    """Plot metrics over images seen, and mark the best and the final value.

    The best value is marked if an installed metric declares whether higher or lower is better.

    Args:
        run: folder of a run.
        metrics: names of metrics; by default all in the run.
    """
    from ganzoo import plots

    output = choose_output(output, "metric.png")
    plots.check_ending(output, plots.FIGURES)
    lines = plots.read_metrics(run)
    written = plots.save_figure(plots.draw_metrics(lines, metrics), output)
    print_out(f"{written}: {len(lines)} measurements")


def progress(run: Folder, /, kind: str = "samples", output: MaybeOutput = None) -> None:
    """Plot how the images of fixed seeds change, as a contact sheet or an animation.

    Args:
        run: folder of a run.
        kind: kind of image file in the run: samples, reconstructions or manifold.
        output: .png or .svg for a contact sheet, .gif or .webp for an animation; by default
            progress.png, which replaces no file.
    """
    from ganzoo import plots

    output = choose_output(output, "progress.png")
    plots.check_ending(output, plots.FIGURES + plots.ANIMATIONS)
    frames = plots.read_moments(plots.find_moments(run, kind))
    if output.suffix.lower() in plots.ANIMATIONS:
        plots.save_animation(plots.animate_progress(frames), output)
    else:
        plots.save_figure(plots.draw_progress(frames), output)
    print_out(
        f"{output}: {quantity(len(frames), 'frame')}, up to {quantity(frames[-1][0], 'image')} seen"
    )


def run(run: Folder, /) -> None:
    """Write all plots that the files of a run allow to its folder 'plots'.

    Args:
        run: folder of a run.
    """
    from ganzoo import plots

    written = plots.draw_run(run)
    if not written:
        raise PlotError(
            f"there is nothing to draw: {run} has no good log line and no good image file. Wait "
            "for the first log line."
        )
    for file in written:
        print_out(file)
