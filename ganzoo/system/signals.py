"""Stop long work at a signal, when it has reached a state to keep."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType


@contextlib.contextmanager
def stop_on_signal() -> Iterator[Callable[[], bool]]:
    """Yield a function that returns whether a signal arrived. A second signal ends at once.

    The signals are Ctrl-C, SIGTERM, and the SIGHUP of a closed terminal, unless ``nohup`` ignores
    it.
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
    numbers = [signal.SIGINT, signal.SIGTERM] if catch else []
    hang_up = getattr(signal, "SIGHUP", None)  # Windows has none
    if catch and hang_up and signal.getsignal(hang_up) is not signal.SIG_IGN:
        numbers.append(hang_up)
    before = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield lambda: bool(first)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
