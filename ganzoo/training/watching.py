"""What a run shows while it trains: log, progress line, findings, pictures, TensorBoard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ganzoo.training.keeping import LOG
from ganzoo.training.lines import read_lines
from ganzoo.training.log import Log
from ganzoo.training.monitors import Finding, Monitors
from ganzoo.training.preparation import Prepared
from ganzoo.training.snapshot import pictures
from ganzoo.training.tensorboard import FOLDER, Board

SAMPLES = "samples"


class Watching:
    """Shows a training as far as it is. Of several processes the first one does.

    Args:
        path: the run's folder.
        prepared: the training, where it begins or goes on.
        progress: whether to show the progress line.
        monitors: whether to look for failures.
        tensorboard: whether to write for TensorBoard.
    """

    def __init__(
        self, path: Path, prepared: Prepared, *, progress: bool, monitors: bool, tensorboard: bool
    ) -> None:
        state, first = prepared.state, prepared.state.group.first
        self.path = path
        self.prepared = prepared
        self.log = Log(path / LOG, prepared.recipe.images, state.images_seen, progress, state.group)
        self.board = Board(path / FOLDER, state.images_seen, on=tensorboard and first)
        so_far = read_lines(path / LOG) if monitors and first else []
        self.monitors = Monitors(prepared, so_far) if monitors and first else None

    def report(self) -> None:
        """Write the log's next line, what monitors find in it, and the same for TensorBoard.

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
        self.board.write(line)

    def show(self) -> None:
        """Write the pictures by which a training is watched.

        Raises:
            OutputError: they cannot be written.
        """
        state = self.prepared.state
        shown = pictures(self.prepared)
        for name, picture in shown.items():
            picture.save(self.path / SAMPLES / f"{state.images_seen:012d}-{name}")
        self.board.show(shown, state.nets, state.images_seen)

    def close(self) -> None:
        """End the progress line, and write what is still held back."""
        self.log.close()
        self.board.close()
