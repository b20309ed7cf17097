"""The lock of a run's folder: only one process may write it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from ganzoo.bundle.files import reporting_output
from ganzoo.errors import RunExistsError
from ganzoo.training.distributed import ALONE, Group

LOCK = ".lock"


@contextmanager
def sole_user(run: Path, group: Group = ALONE) -> Iterator[None]:
    """Create a run's folder and lock it until the block or the process ends.

    In a training of several processes, the first one holds the lock.

    Raises:
        RunExistsError: another process holds the lock.
        OutputError: the folder cannot be written.
    """
    if not group.first:
        yield
        return
    with reporting_output(run):
        run.mkdir(parents=True, exist_ok=True)
        lock = FileLock(run / LOCK, blocking=False)
        try:
            lock.acquire()
        except Timeout as error:
            raise RunExistsError(
                f"another process is training in {run}. Wait for it or stop it, or pass another "
                "folder with --out DIR."
            ) from error
    try:
        yield
    finally:
        lock.release()
