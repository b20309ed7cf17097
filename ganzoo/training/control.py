"""The lock of a running training's folder."""

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
    with reporting_output(run):
        run.mkdir(parents=True, exist_ok=True)
        if foreign := find_foreign(run):
            raise OutputError(
                f"{foreign}, and a training does not read or write it. If the run wrote it, "
                "replace it with that file or folder; otherwise remove it."
            )
        lock = FileLock(run / LOCK, blocking=False)
        try:
            lock.acquire()
        except Timeout as error:
            raise RunExistsError(
                f"another process is training in {run}. Wait for it or stop it. A new run can have "
                "another folder: ganzoo train RECIPE --out DIR."
            ) from error
    try:
        for folder in (run, run / "checkpoints"):
            remove_all(folder)
        yield
    finally:
        lock.release()
