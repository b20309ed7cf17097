"""The direction of a figure, lower or higher is better, as registered metrics declare it."""

from __future__ import annotations

from ganzoo.errors import GanzooError
from ganzoo.registry.distributions import DISTRIBUTION
from ganzoo.registry.registry import metrics
from ganzoo.spec import Direction


def direction_of(figure: str) -> Direction | None:
    """Return whether lower or higher values of a figure are better.

    ganzoo's own metrics come first. Metrics that cannot be loaded are skipped.

    Args:
        figure: name of the figure in a log or a config, such as ``frechet_distance``.

    Returns:
        The direction, or None if no installed metric declares it.
    """
    for entry in sorted(metrics.entries(), key=lambda entry: entry.distribution != DISTRIBUTION):
        try:
            metric = metrics.load(entry)
        except GanzooError:
            continue
        if direction := metric.direction(figure):
            return direction
    return None
