"""Metrics of image sets -> figures and the settings that the protocol states."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ganzoo.errors import BrokenPluginError, GanzooError, describe, enumerate_names
from ganzoo.evaluation.images import ImageSets
from ganzoo.registry import metrics
from ganzoo.spec import Metric


def compute_figures(
    chosen: Mapping[str, Metric], sets: ImageSets
) -> tuple[dict[str, float], dict[str, str]]:
    """Return the finite figures by name, and the settings by metric.

    Args:
        chosen: metrics by registered name.
        sets: the images.

    Raises:
        MetricError: a metric refuses the images, such as too few of them.
        BrokenPluginError: a metric fails, or returns a figure that it does not declare.
    """
    figures: dict[str, float] = {}
    settings: dict[str, str] = {}
    for name, metric in chosen.items():
        try:
            values = {figure: float(x) for figure, x in metric.compute(sets).items()}
            settings[name] = metric.settings(sets)
        except GanzooError:
            raise
        except Exception as error:
            raise BrokenPluginError(
                f"{metrics.cite(name)} failed: {describe(error)}. Report this to its author, or "
                "leave it out with --metrics."
            ) from error
        for figure in values:
            if metric.direction(figure) is None:
                raise BrokenPluginError(
                    f"{metrics.cite(name)} returned the figure {figure!r} and declares "
                    f"{enumerate_names(metric.figures)}. Report this to its author, or leave it "
                    "out with --metrics."
                )
        figures |= {figure: x for figure, x in values.items() if math.isfinite(x)}
    return figures, settings
