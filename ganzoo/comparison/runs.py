"""The runs of a benchmark: train each one to its outcome, in this process or in several."""

from __future__ import annotations

import contextlib
import io
import json
import multiprocessing
import os
import signal
import threading
import warnings
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from multiprocessing import connection as connections
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal

import torch

from ganzoo.bundle.files import write_file
from ganzoo.bundle.json_lines import read_lines
from ganzoo.comparison.spec import PlannedRun
from ganzoo.data.workers import count_cores
from ganzoo.errors import (
    GanzooError,
    NonFiniteLossError,
    OutputError,
    RunExistsError,
    SampleError,
    describe,
)
from ganzoo.registry.own_file import import_own_file, own_files
from ganzoo.spec import Recipe
from ganzoo.spec.json_text import read_json
from ganzoo.system.signals import stop_on_signal
from ganzoo.system.temporary import delete
from ganzoo.training import resume, train
from ganzoo.training.control import LOCK, sole_user

RUNS = "runs"  # folder of the runs
OUTCOME = "outcome.json"  # a file of a run that needs no more training
LOG, CHECKPOINTS = "log.jsonl", "checkpoints"


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes:
        status: ``finished``; ``diverged``, if a number became NaN or infinite; else ``failed``.
        images: images that it had seen at its last log line.
        seconds: time of its training, without evaluations.
        reason: the error; empty for a finished run.
    """

    status: Literal["finished", "diverged", "failed"]
    images: int
    seconds: float
    reason: str = ""


@dataclass(frozen=True)
class Job:
    """How to train one run.

    Attributes:
        recipe: its recipe.
        folder: its folder.
        minutes: its length in minutes; 0 means that of the recipe.
        data: folder of the dataset.
        device: the device, as `ganzoo.train` accepts it.
    """

    recipe: Recipe
    folder: Path
    minutes: float
    data: Path | None
    device: str | None


def read_outcome(folder: Path) -> Outcome | None:
    """Return how a run ended; None if it is not done."""
    file = folder / OUTCOME
    try:
        return Outcome(**read_json(file.read_bytes())) if file.is_file() else None
    except (TypeError, ValueError):  # damaged: the run is continued
        return None


def last_line(folder: Path) -> dict[str, Any]:
    """Return the last line of a run's log, or zeros."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of damaged lines
        lines = read_lines(folder / LOG, ("terms",))
    return lines[-1] if lines else {"images": 0, "seconds": 0.0}


def train_to_outcome(job: Job) -> bool:
    """Start or continue a run, and record its outcome. Return False if a signal stopped it.

    Raises:
        OutputError: a file cannot be written.
        RunExistsError: another process is training the run.
    """
    status: Literal["finished", "diverged", "failed"] = "finished"
    reason = ""
    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")  # they would tear the table; the log has the findings
            if not _train(job):
                return False
    except (OutputError, RunExistsError):
        raise
    except (NonFiniteLossError, SampleError) as error:
        status, reason = "diverged", str(error.__cause__ or error)
    except GanzooError as error:
        status, reason = "failed", str(error.__cause__ or error)
    except Exception as error:  # noqa: BLE001 - of a plugin, or of torch, such as too little memory
        status, reason = "failed", describe(error)
    line = last_line(job.folder)
    _record(job.folder, Outcome(status, line["images"], float(line.get("seconds", 0.0)), reason))
    return True


def _train(job: Job) -> bool:
    """Train until the end of the budget. Return False if a signal stopped it."""
    left = 60 * job.minutes - float(last_line(job.folder).get("seconds", 0.0))
    options: dict[str, Any] = {"data": job.data, "device": job.device, "progress": False}
    options |= {"tensorboard": "off"}
    if any((job.folder / CHECKPOINTS).glob("*.safetensors")):
        if job.minutes and left <= 0:
            return True
        run = resume(job.folder, **options, max_time=f"{left:.3f}s" if job.minutes else None)
    else:
        if job.folder.is_dir():
            with sole_user(job.folder):  # it was killed before its first checkpoint
                for path in job.folder.iterdir():
                    if path.name != LOCK:
                        delete(path)
        time = f"{60 * job.minutes:.3f}s" if job.minutes else None
        run = train(job.recipe, out=job.folder, **options, max_time=time)
    return run.ended != "signal"


def _record(folder: Path, outcome: Outcome) -> None:
    write_file(folder / OUTCOME, json.dumps(asdict(outcome)))


def train_all(
    runs: Sequence[PlannedRun],
    folder: Path,
    *,
    minutes: float,
    data: Path | None,
    device: str | None,
    jobs: int,
    report: Callable[[str], None],
) -> bool:
    """Train runs to their outcomes. Return False if a signal stopped it.

    Args:
        runs: the runs.
        folder: the benchmark's folder.
        minutes: length of each run; 0 means that of its recipe.
        data, device: as for `ganzoo.train`.
        jobs: number of processes; 1 is this one.
        report: is called after each run, with its name.

    Raises:
        OutputError, RunExistsError: as `train_to_outcome`.
    """
    todo = [
        Job(run.recipe, folder / RUNS / run.name, minutes, data, device)
        for run in runs
        if not read_outcome(folder / RUNS / run.name)
    ]
    if min(jobs, len(todo)) > 1:
        return _train_in_processes(todo, min(jobs, len(todo)), report)
    for job in todo:
        if not train_to_outcome(job):
            return False
        report(job.folder.name)
    return True


class _Worker:
    """A process that trains one run after the other."""

    def __init__(self, threads: int, device: str | None) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.device = device
        self.job: Job | None = None
        self.process = context.Process(target=_work, args=(theirs, threads, own_files.get()))
        self.process.start()
        theirs.close()

    def start(self, job: Job) -> None:
        self.job = job
        self.connection.send(Job(**(vars(job) | {"device": self.device})))

    def result(self) -> bool:
        """Return the result of its run; a process that was killed is the outcome of its run.

        Raises:
            GanzooError: as `train_to_outcome`.
        """
        assert self.job
        try:
            result = self.connection.recv()
        except (EOFError, ConnectionResetError):
            self.process.join()
            line = last_line(self.job.folder)
            reason = f"the process ended with exit status {self.process.exitcode}"
            _record(self.job.folder, Outcome("failed", line["images"], line["seconds"], reason))
            result = True
        self.job = None
        if isinstance(result, GanzooError):
            raise result
        return bool(result)

    def stop(self) -> None:
        """Stop the process: it saves its run first."""
        if self.job and self.process.is_alive():
            self.process.terminate()
        with contextlib.suppress(OSError):  # it has ended
            self.connection.send(None)


def _stop(workers: Sequence[_Worker]) -> None:
    for worker in workers:
        worker.stop()
    for worker in workers:
        worker.process.join()


def _train_in_processes(todo: Sequence[Job], jobs: int, report: Callable[[str], None]) -> bool:
    waiting = deque(todo)
    threads = max(1, count_cores() // jobs)
    devices = [_device_of(slot, todo[0].device) for slot in range(jobs)]
    with stop_on_signal() as stop_requested, contextlib.ExitStack() as stack:
        idle = [_Worker(threads, device) for device in devices]
        workers = list(idle)
        stack.callback(_stop, workers)
        while not stop_requested():
            while idle and waiting:
                worker = idle.pop()
                if not worker.process.is_alive():
                    workers.remove(worker)
                    worker = _Worker(threads, worker.device)
                    workers.append(worker)
                worker.start(waiting.popleft())
            busy = {worker.connection: worker for worker in workers if worker.job}
            if not busy:
                return True
            for ready in connections.wait(list(busy), timeout=0.2):
                assert isinstance(ready, Connection)
                if stop_requested():  # the process may have ended by the signal
                    return False
                worker = busy[ready]
                name = worker.job.folder.name if worker.job else ""
                if not worker.result():
                    return False
                idle.append(worker)
                report(name)
    return False


def _device_of(slot: int, device: str | None) -> str | None:
    """Return the device of a process: each has a GPU, as far as there are some."""
    if device in (None, "cuda") and torch.cuda.is_available():
        return f"cuda:{slot % torch.cuda.device_count()}"
    return device


def _work(connection: Connection, threads: int, files: Sequence[str]) -> None:
    """Train the runs that arrive, until None does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a training handles it while it runs
    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(threads)
    for file in files:
        import_own_file(file)
    while (job := connection.recv()) is not None:
        try:
            result: Any = train_to_outcome(job)
        except GanzooError as error:
            result = error
        connection.send(result)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
