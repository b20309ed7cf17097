"""What a run shows while it trains: log, progress line, findings, sample images, trackers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganzoo.training.jsonl import read_lines
from ganzoo.training.log import Log
from ganzoo.training.monitors import Finding, Monitors
from ganzoo.training.monitors.classification import classifier_of
from ganzoo.training.preparation import Prepared
from ganzoo.training.retention import LOG
from ganzoo.training.snapshot import preview_images
from ganzoo.training.tracking import TrackedRun, Tracker, Tracking

SAMPLES = "samples"
SHOWN = 3  # figures of an evaluation beside the progress line


class RunReporter:
    """Shows a training as far as it is. Of several processes the first one does.

    Args:
        path: the run's folder.
        prepared: the training, where it begins or goes on.
        progress: whether to show the progress line.
        monitors: whether to look for failures.
        trackers: trackers by name.
    """

    def __init__(
        self,
        path: Path,
        prepared: Prepared,
        *,
        progress: bool,
        monitors: bool,
        trackers: Mapping[str, Tracker],
    ) -> None:
        state, first = prepared.state, prepared.state.group.first
        self.path = path
        self.prepared = prepared
        self.progress = progress
        self.log = Log(path / LOG, prepared.recipe.images, state.images_seen, progress, state.group)
        self.tracking = Tracking(
            trackers if first else {}, TrackedRun(path, prepared.recipe, state.images_seen)
        )
        self.monitors = None
        if monitors and first:
            classes = classifier_of(prepared.data, state.device)
            self.monitors = Monitors(prepared, read_lines(path / LOG), classes=classes)

    def report(self) -> None:
        """Write the log's next line and what monitors find in it, and log both to the trackers.

        Every process of the group must call it.

        Raises:
            NonFiniteLossError: a term was NaN or infinite since the last one.
            OutputError: it cannot be written.
        """
        line: dict[str, Any] = self.log.read(self.prepared.state)
        if self.monitors:
            line |= self.monitors.look(line)
        self.log.write(line, self.monitors.active if self.monitors else [])
        for finding in line.get("findings", []):
            self.log.say(f"{'warning: ' * (finding['event'] == 'begins')}{Finding(**finding)}")
        self.tracking.log_line(line)

    def show(self) -> None:
        """Write the sample images, and log them to the trackers.

        Raises:
            OutputError: they cannot be written.
        """
        state = self.prepared.state
        shown = preview_images(self.prepared)
        for name, picture in shown.items():
            picture.save(self.path / SAMPLES / f"{state.images_seen:012d}-{name}")
        self.tracking.log_samples(state.images_seen, shown, state.nets)

    def show_metrics(self, line: dict[str, Any]) -> None:
        """Show the figures of an evaluation."""
        best = self.prepared.recipe.keep_best
        by_name = sorted(line["metrics"].items(), key=lambda figure: figure[0] != best)
        figures = [f"{name} {value:.4g}" for name, value in by_name]
        if self.progress:
            self.log.say(f"at {line['images']:,} images: {', '.join(figures[:SHOWN])}")
        self.tracking.log_line(line)

    def close(self) -> None:
        """End the progress line, and finish the trackers."""
        self.log.close()
        self.tracking.finish()
