"""Control of a running training: the lock of its folder, and the signals that stop it."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

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
                f"{foreign}, and a training does not read or write it. Replace it with a file or "
                "folder, or remove it."
            )
        lock = FileLock(run / LOCK, blocking=False)
        try:
            lock.acquire()
        except Timeout as error:
            raise RunExistsError(
                f"another process is training in {run}. Wait for it or stop it, or pass another "
                "folder with --out DIR."
            ) from error
    try:
        for folder in (run, run / "checkpoints"):
            remove_all(folder)
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def stop_on_signal() -> Iterator[Callable[[], bool]]:
    """Yield a function that returns whether a signal arrived. A second signal ends at once.

    Signals within one second count as one, since ``torchrun`` forwards a Ctrl-C that the terminal
    has already sent to the processes.
    """
    first = 0.0  # time of the first signal

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal first
        now = time.monotonic()
        if first and now - first > 1.0:
            raise KeyboardInterrupt
        first = first or now

    # Python handles signals only in the main thread.
    catch = threading.current_thread() is threading.main_thread()
    numbers = (signal.SIGINT, signal.SIGTERM) if catch else ()
    before = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield lambda: bool(first)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
