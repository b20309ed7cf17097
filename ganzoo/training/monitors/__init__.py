"""Monitors: they detect that a running training fails, and say what to try."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from ganzoo.errors import GanzooError, describe
from ganzoo.registry import monitors
from ganzoo.registry.distributions import DISTRIBUTION
from ganzoo.registry.entries import Entry
from ganzoo.training.monitors.episodes import Episode
from ganzoo.training.monitors.monitor import Finding, Line, Monitor
from ganzoo.training.monitors.movement import Movement
from ganzoo.training.monitors.samples import COUNT, Classes, Features, Samples, pixels
from ganzoo.training.prepared import Prepared

__all__ = ["Finding", "Line", "Monitor", "Monitors", "monitors_of"]

TIMES = 100  # the most measurements of samples in a run
SPARSE = 10 * COUNT  # the fewest images between two of them, which limits their share of the time


def monitors_of(training: Prepared) -> list[Monitor]:
    """Return the registered monitors that fit a training: ganzoo's own, then others, by name.

    Warns of each monitor that cannot be created, and leaves it out.
    """
    entries = sorted(monitors.entries(), key=lambda entry: entry.distribution != DISTRIBUTION)
    created = (_create(entry, training) for entry in entries)
    return [monitor for monitor in created if monitor]


def _create(entry: Entry, training: Prepared) -> Monitor | None:
    try:
        monitor = monitors.make(entry, training)
    except GanzooError as error:
        _warn(entry.name, str(error))
        return None
    if monitor is None:
        return None
    if not isinstance(monitor, Monitor) or not hasattr(monitor, "name"):
        kind = type(monitor).__name__
        _warn(entry.name, f"{entry.provider} returned {kind}, not a ganzoo.Monitor with a name")
        return None
    return monitor


def _warn(name: str, reason: str) -> None:
    warnings.warn(
        f"the monitor {name!r} failed and is switched off; the training continues: {reason}",
        stacklevel=4,
    )


class Monitors:
    """All monitors of a run, and the measurements that only they need.

    They read each new line of the log, and change nothing that is trained. A monitor that raises is
    switched off with one warning.

    Args:
        prepared: the training.
        lines: the lines of the log so far, from which a resumed run rebuilds its monitors.
        features: features by which samples are compared with data; pixels by default.
        classes: classifies images; None if no classifier fits the data.
    """

    def __init__(
        self,
        prepared: Prepared,
        lines: Iterable[Line] = (),
        *,
        features: Features = pixels,
        classes: Classes | None = None,
    ) -> None:
        self._episodes = [Episode(monitor) for monitor in monitors_of(prepared)]
        self._movement = Movement(prepared.state)
        sampled = any("samples" in episode.monitor.needs for episode in self._episodes)
        self._samples = Samples(prepared, features, classes) if sampled else None
        self._every = max(prepared.recipe.images // TIMES, SPARSE)
        self._measured_at = -self._every
        for line in lines:
            self._read(line)

    @property
    def active(self) -> list[str]:
        """Names of the monitors that report a failure now."""
        return [episode.monitor.name for episode in self._episodes if episode.active]

    def check(self, line: Line) -> dict[str, Any]:
        """Return the entries that monitors add to the next line of the log.

        Args:
            line: the next line, without these entries.

        Returns:
            ``movement``, ``samples`` if they are due, and ``findings``.

        Raises:
            DataError: a real image cannot be read.
            NonFiniteLossError, SampleError: a weight or an output is NaN or infinite.
        """
        entries: dict[str, Any] = {"movement": self._movement.measure()}
        if self._samples and line["images"] - self._measured_at >= self._every:
            try:
                entries["samples"] = self._samples.measure()
            except GanzooError:
                raise
            except Exception as error:  # noqa: BLE001 - a plugin's classifier may raise anything
                self._samples = None
                _warn("samples", describe(error))
        entries["findings"] = [asdict(finding) for finding in self._read({**line, **entries})]
        return entries

    def _read(self, line: Line) -> list[Finding]:
        if "samples" in line:
            self._measured_at = line["images"]
        findings = []
        for episode in list(self._episodes):
            try:
                finding = episode.read(line)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin may raise anything
                self._episodes.remove(episode)
                _warn(episode.monitor.name, describe(error))
                continue
            if finding:
                findings.append(finding)
        return findings
