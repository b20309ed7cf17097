"""Ctrl-C and SIGTERM as a wish that the loop grants at the end of a tick."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType


@contextlib.contextmanager
def stop_on_signal() -> Iterator[Callable[[], bool]]:
    """Yield a function that says whether the user asked to stop. A second Ctrl-C ends at once.

    What comes within a second of the first is the same wish: ``torchrun`` passes a Ctrl-C on to
    processes that the terminal has told already.
    """
    asked = 0.0

    def ask(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        now = time.monotonic()
        if asked and now - asked > 1.0:
            raise KeyboardInterrupt
        asked = asked or now

    # Signals can be caught in the main thread alone.
    catch = threading.current_thread() is threading.main_thread()
    numbers = (signal.SIGINT, signal.SIGTERM) if catch else ()
    before = {number: signal.signal(number, ask) for number in numbers}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
