"""Monitors: what tells, while a training runs, that it fails and what to try."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from ganzoo.training.monitors.collapse import ModeCollapse
from ganzoo.training.monitors.episodes import Episode
from ganzoo.training.monitors.exploding import ExplodingGradients
from ganzoo.training.monitors.lost import DiscriminatorLost
from ganzoo.training.monitors.monitor import Finding, Line, Monitor
from ganzoo.training.monitors.movement import Movement
from ganzoo.training.monitors.samples import COUNT, Classes, Features, Samples, pixels
from ganzoo.training.monitors.stale import StaleLearningRate
from ganzoo.training.monitors.won import DiscriminatorWon
from ganzoo.training.preparation import Prepared

__all__ = ["Finding", "Line", "Monitor", "Monitors", "monitors_of"]

TIMES = 100  # samples are measured so often in a run, at most
SPARSE = 10 * COUNT  # images between two measurements, at least: they cost a hundredth of these


def monitors_of(prepared: Prepared) -> list[Monitor]:
    """Return the monitors that fit a training: those of samples where something judges them."""
    recipe, loss = prepared.recipe, prepared.state.loss
    monitors: list[Monitor] = [ExplodingGradients(), StaleLearningRate(recipe)]
    if loss.roles - set(loss.exported_roles):
        delivering = [p.name for p in loss.players if set(p.trains) & set(loss.exported_roles)]
        monitors += [
            ModeCollapse(recipe.images),
            DiscriminatorWon(delivering),
            DiscriminatorLost(recipe.images),
        ]
    return monitors


class Monitors:
    """All monitors of a run, and what is measured for them alone.

    They look when the log is written, and change nothing that is trained.

    Args:
        prepared: the training.
        so_far: the log's lines up to now, which bring a resumed run's monitors to where they were.
        features: in what samples are compared with data; pixels by default.
        classes: tells the class of an image, where there is a classifier that fits.
    """

    def __init__(
        self,
        prepared: Prepared,
        so_far: Iterable[Line] = (),
        *,
        features: Features = pixels,
        classes: Classes | None = None,
    ) -> None:
        monitors = monitors_of(prepared)
        self._episodes = [Episode(monitor) for monitor in monitors]
        self._movement = Movement(prepared.state)
        sampled = any("samples" in monitor.needs for monitor in monitors)
        self._samples = Samples(prepared, features, classes) if sampled else None
        recipe = prepared.recipe
        self._every = max(recipe.images // TIMES, SPARSE)
        self._measured_at = -self._every
        for line in so_far:
            self._read(line)

    @property
    def active(self) -> list[str]:
        """Names of those that see something wrong now."""
        return [episode.monitor.name for episode in self._episodes if episode.active]

    def look(self, line: Line) -> dict[str, Any]:
        """Return what belongs into the log's next line beside what it holds: numbers and findings.

        Raises:
            DataError: a real image that cannot be read.
        """
        found: dict[str, Any] = {"movement": self._movement.measure()}
        if self._samples and line["images"] - self._measured_at >= self._every:
            found["samples"] = self._samples.measure()
        found["findings"] = [asdict(finding) for finding in self._read({**line, **found})]
        return found

    def _read(self, line: Line) -> list[Finding]:
        if "samples" in line:
            self._measured_at = line["images"]
        found = (episode.read(line) for episode in self._episodes)
        return [finding for finding in found if finding]
