"""The live table of a benchmark on a terminal; elsewhere, a line for each run."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ganzoo.comparison.plan import Plan
from ganzoo.comparison.results import SeedResult, align, collect
from ganzoo.errors import printable

SECONDS = 2.0  # between two drawings


class Progress:
    """Shows how far the runs of a benchmark are, on standard error.

    Args:
        plan: the plan.
        folder: the benchmark's folder.
        enabled: whether to show anything.
    """

    def __init__(self, plan: Plan, folder: Path, *, enabled: bool) -> None:
        self._plan, self._folder = plan, folder
        self._stream: Any = (
            sys.stderr if enabled else None
        )  # while a run trains, sys.stderr is another
        self._live = self._stream is not None and self._stream.isatty()
        self._lines = 0
        self._end = threading.Event()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Renew the table while the block runs."""
        thread = threading.Thread(target=self._renew, daemon=True)
        if self._live:
            thread.start()
        try:
            yield
        finally:
            self._end.set()
            if self._live:
                thread.join()
                self._draw()

    def report(self, name: str) -> None:
        """Print the outcome of a run, unless there is a table."""
        if self._live or not self._stream:
            return
        runs = [run for row in collect(self._plan, self._folder).rows for run in row.runs]
        done = [run for run in runs if run.status not in ("waiting", "stopped")]
        (run,) = (run for run in runs if run.folder.name == name)
        values = [f"{key} {value:.4g}" for key, value in list(run.final.items())[:3]]
        text = ", ".join(values) or run.reason
        self._write(f"[{len(done)}/{len(runs)}] {name}: {run.status}{': ' * bool(text)}{text}\n")

    def _renew(self) -> None:
        while not self._end.wait(SECONDS):
            self._draw()

    def _draw(self) -> None:
        width, height = shutil.get_terminal_size()
        lines = self._table()
        lines = [printable(line)[: width - 1] for line in lines[: height - 1]]
        up = f"\x1b[{self._lines}A\x1b[J" if self._lines else ""
        self._write(up + "".join(f"{line}\n" for line in lines), escape=False)
        self._lines = len(lines)

    def _table(self) -> list[str]:
        results = collect(self._plan, self._folder)
        names = results.metrics[:2]
        seeds = self._plan.spec.seeds
        table = [[self._plan.spec.name, *(f"seed {seed}" for seed in seeds), *names]]
        for row in results.rows:
            states = [self._state(run) for run in row.runs] or ["-"] * len(seeds)
            states = ["incompatible", *states[1:]] if row.incompatible else states
            table.append([row.label, *states, *(str(row.final.get(name, "")) for name in names)])
        total = sum(len(row.runs) for row in results.rows)
        done = total - len(results.left)
        clock = time.strftime("%H:%M:%S")
        return [*align(table), f"{done} of {total} runs are done, {clock}"]

    def _state(self, run: SeedResult) -> str:
        if run.status != "stopped":
            return run.status
        budget = self._plan.spec.budget
        return f"{run.images / budget.images:.0%}" if budget.images else f"{run.images:,} images"

    def _write(self, text: str, *, escape: bool = True) -> None:
        self._stream.write(printable(text) if escape else text)
        self._stream.flush()
