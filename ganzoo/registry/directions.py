"""The direction of a metric's value, lower or higher is better, as its metric declares it."""

from __future__ import annotations

from ganzoo.errors import GanzooError
from ganzoo.registry.distributions import DISTRIBUTION
from ganzoo.registry.registry import metrics
from ganzoo.spec import Direction


def direction_of(name: str) -> Direction | None:
    """Return whether lower or higher values of a name are better.

    ganzoo's own metrics come first. Metrics that cannot be loaded are skipped.

    Args:
        name: name of the value in a log or a config, such as ``frechet_distance``.

    Returns:
        The direction, or None if no installed metric declares it.
    """
    for entry in sorted(metrics.entries(), key=lambda entry: entry.distribution != DISTRIBUTION):
        try:
            metric = metrics.load(entry)
        except GanzooError:
            continue
        if direction := metric.direction(name):
            return direction
    return None
