"""Figures by name -> which way they are better, as the registered metrics declare it."""

from __future__ import annotations

from ganzoo.errors import GanzooError
from ganzoo.registry.distributions import DISTRIBUTION
from ganzoo.registry.registry import metrics
from ganzoo.spec import Direction


def direction_of(figure: str) -> Direction | None:
    """Return which values of a figure are better, None if no installed metric declares it.

    ganzoo's own metrics are asked first. A plugin that cannot be loaded declares nothing.

    Args:
        figure: its name in a log or a config, such as ``frechet_distance``.
    """
    for entry in sorted(metrics.entries(), key=lambda entry: entry.distribution != DISTRIBUTION):
        try:
            metric = metrics.load(entry)
        except GanzooError:
            continue
        if direction := metric.direction(figure):
            return direction
    return None
