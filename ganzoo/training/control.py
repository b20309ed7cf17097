"""The lock of the folder of a training or benchmark that runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from ganzoo.bundle.files import find_foreign, reporting_output
from ganzoo.bundle.leftovers import remove_all
from ganzoo.errors import OutputError, RunExistsError
from ganzoo.training.distributed import ALONE, Group

LOCK = ".lock"


@contextmanager
def sole_user(run: Path, group: Group = ALONE) -> Iterator[None]:
    """Create a run's folder and lock it until the block or the process ends.

    In a training of several processes, the first one holds the lock. It removes what killed
    processes left in the folder.

    Raises:
        RunExistsError: another process holds the lock.
        OutputError: the folder cannot be written, a link in it leads out of it, or it holds a
            pipe, socket or device.
    """
    if not group.first:
        yield
        return
    advice = "A new run can have another folder: ganzoo train RECIPE --out DIR."
    with lock_folder(run, "training", advice):
        for folder in (run, run / "checkpoints"):
            remove_all(folder)
        yield


@contextmanager
def lock_folder(folder: Path, work: str, advice: str) -> Iterator[None]:
    """Create the folder of a training or a benchmark and lock it until the block ends.

    Args:
        folder: the folder.
        work: what is done in it, for error messages.
        advice: one sentence on what to do if another process does it.

    Raises:
        RunExistsError: another process holds the lock.
        OutputError: the folder cannot be written, a link in it leads out of it, or it holds a
            pipe, socket or device.
    """
    with reporting_output(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if foreign := find_foreign(folder):
            raise OutputError(
                f"{foreign}, and a {work} does not read or write it. If the {work} wrote it, "
                "replace it with that file or folder; otherwise remove it."
            )
        lock = FileLock(folder / LOCK, blocking=False)
        try:
            lock.acquire()
        except Timeout as error:
            raise RunExistsError(
                f"another {work} runs in {folder}. Wait for it or stop it. {advice}"
            ) from error
    try:
        yield
    finally:
        lock.release()
