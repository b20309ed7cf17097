"""The output of a running training: log, progress line, findings, sample images, trackers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganzoo.bundle.json_lines import read_lines
from ganzoo.errors import quantity
from ganzoo.training.log import TABLES, Log
from ganzoo.training.monitors import Finding, Monitors
from ganzoo.training.monitors.classification import classifier_of
from ganzoo.training.prepared import Prepared
from ganzoo.training.snapshot import LOG, preview_images
from ganzoo.training.tracking import TrackedRun, Tracker, Tracking

SAMPLES = "samples"
SHOWN = 3  # metrics of an evaluation that are printed above the progress line


class RunReporter:
    """Reports the progress of a training. Of several processes, only the first one reports.

    Args:
        path: the run's folder.
        prepared: the training.
        progress: whether to show the progress line.
        monitors: whether monitors check the training.
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
        self.log = Log(
            path / LOG,
            prepared.recipe.images,
            state.images_seen,
            progress,
            state.seconds,
            state.group,
        )
        self.tracking = Tracking(
            trackers if first else {}, TrackedRun(path, prepared.recipe, state.images_seen)
        )
        self.monitors = None
        if monitors and first:
            classes = classifier_of(prepared.data, state.device)
            self.monitors = Monitors(prepared, read_lines(path / LOG, TABLES), classes=classes)

    def report(self) -> None:
        """Write the next line of the log with the monitors' findings, and send it to the trackers.

        Every process of the group must call it.

        Raises:
            NonFiniteLossError: a term was NaN or infinite since the last line.
            OutputError: the log cannot be written.
        """
        line: dict[str, Any] = self.log.read(self.prepared.state)
        if self.monitors:
            line |= self.monitors.check(line)
        self.log.write(line, self.monitors.active if self.monitors else [])
        for finding in line.get("findings", []):
            prefix = "warning: " if finding["event"] == "begins" else ""
            self.log.print(f"{prefix}{Finding(**finding)}")
        self.tracking.log_line(line)

    def count(self) -> None:
        """Show the number of images seen, the rate and the time left in the progress line."""
        self.log.count(self.prepared.state.images_seen)

    def show_samples(self) -> None:
        """Write the sample images, and send them to the trackers.

        Raises:
            NonFiniteLossError, SampleError: a weight or an output is NaN or infinite.
            OutputError: a file cannot be written.
        """
        state = self.prepared.state
        batches = preview_images(self.prepared)
        for name, batch in batches.items():
            batch.save(self.path / SAMPLES / f"{state.images_seen:012d}-{name}")
        self.tracking.log_samples(state.images_seen, batches, state.nets)

    def show_metrics(self, line: dict[str, Any]) -> None:
        """Print the metrics of an evaluation, and send them to the trackers."""
        best = self.prepared.recipe.keep_best
        ordered = sorted(line["metrics"].items(), key=lambda metric: metric[0] != best)
        texts = [f"{name} {value:.4g}" for name, value in ordered]
        if self.progress:
            self.log.print(f"at {quantity(line['images'], 'image')}: {', '.join(texts[:SHOWN])}")
        self.tracking.log_line(line)

    def close(self) -> None:
        """End the progress line, and finish the trackers."""
        self.log.close()
        self.tracking.finish()
