"""The trackers of a run: plugins that log it elsewhere, such as to TensorBoard."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from ganzoo.errors import BrokenPluginError, MissingExtraError, describe
from ganzoo.registry import trackers
from ganzoo.registry.distributions import DISTRIBUTION
from ganzoo.sampling.images import ImageBatch
from ganzoo.spec import Recipe
from ganzoo.system.dependencies import quiet_imports
from ganzoo.training.monitors import Finding
from ganzoo.training.options import AutoOnOff

TENSORBOARD = "tensorboard"


@dataclass(frozen=True)
class TrackedRun:
    """The run that a tracker logs.

    Attributes:
        path: the run's folder. A tracker may keep its own files there, such as an id that it needs
            to continue when the run is resumed.
        recipe: all settings of the training.
        images_seen: 0 for a new run, else the number of images at which it is resumed. If the run
            was interrupted later than that, it now logs the later images a second time.
    """

    path: Path
    recipe: Recipe
    images_seen: int


class Tracker:
    """Logs the scalars, images and texts of one run, such as to TensorBoard.

    A plugin registers a subclass under ``ganzoo.trackers``, and ``ganzoo train --trackers NAME``
    uses it. Ganzoo creates it before the training begins; its constructor raises if it cannot work,
    for example because a library is not installed. Ganzoo starts it before its first log, so a run
    that logs nothing writes nothing. In a training of several processes, only the first one starts
    it. A later error does not end the training: ganzoo warns, and calls the tracker no more.

    By default each method does nothing. `images` is the number of images seen.
    """

    def start(self, run: TrackedRun) -> None:
        """Start, or continue a resumed run. Import heavy libraries and open files here."""

    def log_scalars(self, images: int, scalars: Mapping[str, float]) -> None:
        """Log numbers by name, such as ``terms/generator/adversarial`` or ``metrics/precision``."""

    def log_images(self, images: int, name: str, batch: ImageBatch) -> None:
        """Log images under a name, such as ``samples``."""

    def log_weights(self, images: int, networks: Mapping[str, nn.Module]) -> None:
        """Log the weights of the networks by role."""

    def log_text(self, images: int, name: str, text: str) -> None:
        """Log a text under a name, such as ``findings``."""

    def finish(self) -> None:
        """Write all that is still buffered.

        Called once at the end, even if the training fails, unless the tracker failed or never
        started.
        """


def create_trackers(names: Sequence[str], tensorboard: AutoOnOff) -> dict[str, Tracker]:
    """Return trackers by name.

    Args:
        names: registered names.
        tensorboard: whether to add TensorBoard; ``auto`` adds it if it is installed.

    Raises:
        MissingExtraError: TensorBoard is on or named, and not installed.
        UnknownNameError, BrokenPluginError, ...: as `Registry.make`.
    """
    unique = dict.fromkeys([*[TENSORBOARD] * (tensorboard == "on"), *names])
    created = {name: _create(name) for name in unique}
    if tensorboard == "auto" and TENSORBOARD not in created:
        with contextlib.suppress(MissingExtraError):
            created = {TENSORBOARD: _create(TENSORBOARD)} | created
    return created


def _create(name: str) -> Tracker:
    own = name == TENSORBOARD  # always ganzoo's own, whatever plugins register
    tracker = trackers.make(f"{DISTRIBUTION}:{name}" if own else name)
    if not isinstance(tracker, Tracker):
        raise BrokenPluginError(
            f"{trackers.cite(name)} returned {type(tracker).__name__}, not a ganzoo.Tracker. "
            "Report this to the plugin's author."
        )
    return tracker


class Tracking:
    """Logs to all trackers of a run.

    Args:
        trackers: trackers by name.
        run: the run.
    """

    def __init__(self, trackers: Mapping[str, Tracker], run: TrackedRun) -> None:
        self.run = run
        self._active = dict(trackers)
        self._started: set[str] = set()

    def log_line(self, line: Mapping[str, Any]) -> None:
        """Log a line of log.jsonl or metrics.jsonl: its numbers, and findings as text."""
        images, scalars = line["images"], dict(_scalars(line))
        texts = [str(Finding(**finding)) for finding in line.get("findings", [])]

        def log(tracker: Tracker) -> None:
            tracker.log_scalars(images, scalars)
            for text in texts:
                tracker.log_text(images, "findings", text)

        self._call_each(log)

    def log_samples(
        self, images: int, batches: Mapping[str, ImageBatch], networks: Mapping[str, nn.Module]
    ) -> None:
        """Log images by file name, and the weights of the networks by role."""

        def log(tracker: Tracker) -> None:
            for file, batch in batches.items():
                tracker.log_images(images, Path(file).stem, batch)
            tracker.log_weights(images, networks)

        self._call_each(log)

    def finish(self) -> None:
        """Finish the trackers that have started."""
        self._active = {name: self._active[name] for name in self._active if name in self._started}
        self._call_each(lambda tracker: tracker.finish())

    def _call_each(self, log: Callable[[Tracker], None]) -> None:
        """Log to each tracker, and switch off those that fail."""
        for name, tracker in list(self._active.items()):
            try:
                if name not in self._started:
                    self._started.add(name)
                    with quiet_imports():  # trackers import libraries that draw
                        tracker.start(self.run)
                log(tracker)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin may raise anything
                del self._active[name]
                warnings.warn(
                    f"the tracker {name!r} failed and is switched off; the training continues: "
                    f"{describe(error)}",
                    stacklevel=3,
                )


def _scalars(line: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Yield all numbers of a line, named ENTRY/NAME."""
    for entry, value in line.items():
        if isinstance(value, Mapping) and entry not in ("in_force", "protocol"):
            yield from ((f"{entry}/{name}", x) for name, x in value.items() if _is_number(x))
    if "images_per_second" in line:
        yield "speed/images_per_second", line["images_per_second"]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
