"""Figures of runs, models and data: functions from arrays and logs to matplotlib figures."""

from ganzoo.system.dependencies import quiet_imports

with quiet_imports():
    from ganzoo.plots.bands import draw_bands
    from ganzoo.plots.border import Border
    from ganzoo.plots.comparisons import (
        draw_comparison,
        draw_neighbours,
        draw_reconstructions,
        draw_translations,
    )
    from ganzoo.plots.curves import draw_curves
    from ganzoo.plots.earth_mover import EARTH_MOVER, draw_earth_mover
    from ganzoo.plots.grids import draw_grids
    from ganzoo.plots.interpolation import WALK_MS, animate_interpolation, draw_interpolation
    from ganzoo.plots.latent_map import LatentMap, check_plane, draw_latent_maps, map_latents
    from ganzoo.plots.metrics import draw_metrics
    from ganzoo.plots.of_run import PLOTS, draw_run
    from ganzoo.plots.planes import OutsidePoints, Plane, draw_planes, fit_plane
    from ganzoo.plots.progress import animate_progress, draw_progress
    from ganzoo.plots.rows import draw_rows
    from ganzoo.plots.run_files import find_moments, read_log, read_metrics, read_moments
    from ganzoo.plots.sample_table import draw_sample_table
    from ganzoo.plots.saving import (
        ANIMATIONS,
        FIGURES,
        check_ending,
        save_animation,
        save_figure,
        to_pil,
    )
    from ganzoo.plots.sheet import shrink
    from ganzoo.plots.style_mixing import draw_style_mixing

__all__ = [
    "ANIMATIONS",
    "EARTH_MOVER",
    "FIGURES",
    "PLOTS",
    "WALK_MS",
    "Border",
    "LatentMap",
    "OutsidePoints",
    "Plane",
    "animate_interpolation",
    "animate_progress",
    "check_ending",
    "check_plane",
    "draw_bands",
    "draw_comparison",
    "draw_curves",
    "draw_earth_mover",
    "draw_grids",
    "draw_interpolation",
    "draw_latent_maps",
    "draw_metrics",
    "draw_neighbours",
    "draw_planes",
    "draw_progress",
    "draw_reconstructions",
    "draw_rows",
    "draw_run",
    "draw_sample_table",
    "draw_style_mixing",
    "draw_translations",
    "find_moments",
    "fit_plane",
    "map_latents",
    "read_log",
    "read_metrics",
    "read_moments",
    "save_animation",
    "save_figure",
    "shrink",
    "to_pil",
]
