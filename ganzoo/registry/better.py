"""Units, and whether higher or lower values are better, as metrics declare them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from ganzoo.errors import GanzooError
from ganzoo.registry.distributions import DISTRIBUTION
from ganzoo.registry.registry import metrics
from ganzoo.spec import Better, Metric

T = TypeVar("T")

DIRECTIONS: Mapping[str | None, str] = {
    "higher": "higher is better",
    "lower": "lower is better",
    "neither": "",
    None: "",
}
"""What to print of a value beside its number."""


def better_of(name: str) -> Better | None:
    """Return whether lower or higher values of a name are better.

    ganzoo's own metrics come first. Metrics that cannot be loaded are skipped.

    Args:
        name: name of the value in a log or a config, such as ``frechet_distance``.

    Returns:
        ``higher``, ``lower`` or ``neither``, or None if no installed metric declares it.
    """
    return _declared(name, Metric.better_of)


def unit_of(name: str) -> str:
    """Return the unit of a value, such as ``dB``; empty if no installed metric declares one.

    Args:
        name: as for `better_of`.
    """
    return _declared(name, Metric.unit_of) or ""


def _declared(name: str, read: Callable[[Metric, str], T | None]) -> T | None:
    """Return what the first metric declares of a value."""
    for entry in sorted(metrics.entries(), key=lambda entry: entry.distribution != DISTRIBUTION):
        try:
            metric = metrics.load(entry)
        except GanzooError:
            continue
        if declared := read(metric, name):
            return declared
    return None
