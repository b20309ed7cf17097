"""Whether higher or lower values are better, as the metric of the value declares it."""

from __future__ import annotations

from ganzoo.errors import GanzooError
from ganzoo.registry.distributions import DISTRIBUTION
from ganzoo.registry.registry import metrics
from ganzoo.spec import Better


def better_of(name: str) -> Better | None:
    """Return whether lower or higher values of a name are better.

    ganzoo's own metrics come first. Metrics that cannot be loaded are skipped.

    Args:
        name: name of the value in a log or a config, such as ``frechet_distance``.

    Returns:
        ``higher``, ``lower`` or ``neither``, or None if no installed metric declares it.
    """
    for entry in sorted(metrics.entries(), key=lambda entry: entry.distribution != DISTRIBUTION):
        try:
            metric = metrics.load(entry)
        except GanzooError:
            continue
        if better := metric.better_of(name):
            return better
    return None
