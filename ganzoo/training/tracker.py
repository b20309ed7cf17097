"""What shows a run to people while it trains: the base class of `ganzoo.trackers`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from ganzoo.sampling.images import ImageBatch
from ganzoo.spec import Recipe


@dataclass(frozen=True)
class TrackedRun:
    """The run that a tracker shows.

    Attributes:
        path: its folder; a tracker may keep files of its own there, such as an id by which it
            continues when the run is resumed.
        recipe: all settings of the training.
        images_seen: 0 for a new run; else the images at which it is resumed. A tracker may have
            logged later ones before the run was cut off, which are now logged again.
    """

    path: Path
    recipe: Recipe
    images_seen: int


class Tracker:
    """Logs the scalars, images and texts of one run, such as to TensorBoard.

    A plugin registers a subclass under ``ganzoo.trackers``, and ``ganzoo train --trackers NAME``
    uses it. It is created before the training begins, and raises where it cannot work, such as
    where a library is not installed. It is started before its first log, so that a run that logs
    nothing writes nothing. Of several processes of a training only the first one starts it. An
    error after that does not end the training: it is warned of, and the tracker is not called
    again.

    Each method does nothing by default. `images` is the number of images seen.
    """

    def start(self, run: TrackedRun) -> None:
        """Begin, or continue after a resume. Import heavy libraries and open files here."""

    def log_scalars(self, images: int, scalars: Mapping[str, float]) -> None:
        """Log numbers, named such as ``terms/generator/adversarial`` and ``metrics/precision``."""

    def log_images(self, images: int, name: str, batch: ImageBatch) -> None:
        """Log images, named such as ``samples``."""

    def log_weights(self, images: int, networks: Mapping[str, nn.Module]) -> None:
        """Log the weights of the networks, by role."""

    def log_text(self, images: int, name: str, text: str) -> None:
        """Log a text, named such as ``findings``."""

    def finish(self) -> None:
        """Write what is still held back. Called once, also where the training fails."""
