"""What metrics declare of their values: units, and whether higher or lower ones are better."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from ganzoo.errors import GanzooError
from ganzoo.registry.distributions import DISTRIBUTION
from ganzoo.registry.entries import Entry
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


def metrics_of(names: Iterable[str]) -> dict[str, bool]:
    """Return the metrics that some values are of, each with whether it is computed by default.

    ganzoo's own metrics come first. A value that no installed metric declares has none.

    Args:
        names: names of the values.
    """
    by_default = {}
    for name in names:
        for entry, metric in _loaded():
            if metric.better_of(name):
                by_default[metrics.prefer(entry.name, entry.distribution)] = metric.by_default
                break
    return by_default


def _declared(name: str, read: Callable[[Metric, str], T | None]) -> T | None:
    """Return what the first metric declares of a value."""
    return next((value for _, metric in _loaded() if (value := read(metric, name))), None)


def _loaded() -> Iterator[tuple[Entry, Metric]]:
    """Yield the metrics that can be loaded, ganzoo's own first."""
    for entry in sorted(metrics.entries(), key=lambda entry: entry.distribution != DISTRIBUTION):
        with contextlib.suppress(GanzooError):
            yield entry, metrics.load(entry)
