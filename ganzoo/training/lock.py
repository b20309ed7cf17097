"""One process a run: two that write one folder would ruin both."""

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
    """Hold a run's folder, which is made, until the block or the process ends.

    Of processes that train together the first one holds it.

    Raises:
        RunExistsError: another process holds it.
        OutputError: it cannot be written.
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
                f"another process is training in {run}. Wait for it or stop it, or choose another "
                "folder with --out DIR."
            ) from error
    try:
        yield
    finally:
        lock.release()
