"""Monitors under test, and their checks."""

from __future__ import annotations

import tempfile
from functools import cached_property
from pathlib import Path

from ganzoo.bundle.json_lines import read_lines
from ganzoo.errors import ConformanceError, enumerate_names
from ganzoo.registry import monitors
from ganzoo.spec import Component
from ganzoo.system.quiet import ignored_warnings
from ganzoo.testing import registration
from ganzoo.testing.checked_plugin import CheckedPlugin
from ganzoo.testing.checks import NotChecked, prerequisite
from ganzoo.testing.imports import imports_quietly
from ganzoo.testing.noise import noise
from ganzoo.testing.short_training import BATCH, recipe_of
from ganzoo.testing.sizes import data_of
from ganzoo.training import Monitor as Base
from ganzoo.training import Prepared, prepare, train
from ganzoo.training.monitors.monitor import Line

TRAININGS = (  # one with a discriminator, one without
    (Component("mlp"), Component("nonsaturating")),
    (Component("mlp-autoencoder"), Component("vae")),
)


def builds(subject: Monitor) -> None:
    """It returns a ganzoo.Monitor with a name, or None for a training that it does not fit."""
    for training, _ in subject.trainings:
        monitor = monitors.make(subject.entry, training)
        if monitor is None:
            continue
        if not isinstance(monitor, Base):
            raise ConformanceError(
                f"{subject.label} returns {type(monitor).__name__}, but must return a "
                "ganzoo.Monitor: derive its class from ganzoo.Monitor."
            )
        if not isinstance(getattr(monitor, "name", None), str):
            raise ConformanceError(f'{subject.label} has no name: set `name = "..."` in its class.')


def needs_entries_of_the_log(subject: Monitor) -> None:
    """It needs only entries that lines of the log have."""
    for monitor, lines in subject.monitors:
        known = {entry for line in lines for entry in line}
        if missing := set(monitor.needs) - known:
            raise ConformanceError(
                f"{subject.label} needs {enumerate_names(missing)}, which no line of the log has, "
                f"so it would never run. Entries: {enumerate_names(known)}."
            )


def describes(subject: Monitor) -> None:
    """It describes the failure that a line shows as text, and changes no line."""
    for monitor, lines in subject.monitors:
        for line in lines:
            if not all(line.get(entry) for entry in monitor.needs):
                continue
            copy = dict(line)
            problem = monitor.check(copy)
            if not isinstance(problem, str):
                raise ConformanceError(
                    f"{subject.label} returns {problem!r} for a line of the log: return text, "
                    "which is empty if nothing is wrong."
                )
            if copy != line:
                raise ConformanceError(
                    f"{subject.label} changes the line that it reads, which others read too."
                )


class Monitor(CheckedPlugin):
    """A monitor under test."""

    registry = monitors
    checks = (
        registration.loads,
        imports_quietly,
        builds,
        needs_entries_of_the_log,
        describes,
    )

    @cached_property
    def trainings(self) -> list[tuple[Prepared, list[Line]]]:
        """Tiny trainings on noise, and the lines of their logs."""
        return [_train(*components) for components in TRAININGS]

    @property
    def monitors(self) -> list[tuple[Base, list[Line]]]:
        """A new monitor for each training that it fits, and the lines of its log.

        Raises:
            NotChecked: it fits no tiny training, or is not a monitor.
        """
        with prerequisite("builds"):
            builds(self)
        fitting = [
            (monitor, lines)
            for training, lines in self.trainings
            if (monitor := monitors.make(self.entry, training))
        ]
        if not fitting:
            raise NotChecked("it fits none of the tiny trainings.")
        return fitting


def _train(architecture: Component, loss: Component) -> tuple[Prepared, list[Line]]:
    recipe = recipe_of(architecture, loss, log_every=BATCH, checkpoint_every=0)
    with (
        noise(data_of(16, 1)) as dataset,
        tempfile.TemporaryDirectory() as folder,
        ignored_warnings(),  # of the monitor under test, which a training switches off
    ):
        recipe = type(recipe)(**vars(recipe) | {"dataset": dataset})
        run = train(recipe, out=Path(folder) / "run", device="cpu", progress=False)
        return prepare(recipe, device="cpu"), list(read_lines(run.path / "log.jsonl"))
