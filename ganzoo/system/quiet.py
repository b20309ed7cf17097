"""Hide what a library prints, logs and warns of, in the calling thread only.

Filters of warnings belong to the whole process. If two threads replace and restore them at once,
they stay replaced, so one thread at a time does. Other threads' warnings are hidden meanwhile, but
not what they print or log.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import Any

_LOCK = threading.RLock()


@contextlib.contextmanager
def ignored_warnings(kind: type[Warning] = Warning) -> Iterator[None]:
    """Ignore warnings of a class while the block runs."""
    with _LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore", kind)
        yield


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Hide all warnings, what the block prints, and what it logs below the level of errors."""
    loggers = [logging.root, *logging.root.manager.loggerDict.values()]
    handlers = {handler for logger in loggers for handler in getattr(logger, "handlers", ())}
    handlers |= {logging.lastResort} - {None}  # prints warnings if no handler is installed
    drop = _DropLogs()
    with ignored_warnings(), contextlib.redirect_stdout(_DropOutput(sys.stdout)):
        try:
            for handler in handlers:
                handler.addFilter(drop)
            yield
        finally:
            for handler in handlers:
                handler.removeFilter(drop)


class _DropOutput:
    """A stream that drops the text of the thread that creates it."""

    def __init__(self, stream: Any) -> None:
        self._stream, self._thread = stream, threading.get_ident()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write the text of other threads."""
        if self._stream is None or threading.get_ident() == self._thread:
            return len(text)
        return int(self._stream.write(text))

    def flush(self) -> None:
        """Flush the stream."""
        if self._stream is not None:
            self._stream.flush()


class _DropLogs(logging.Filter):
    """Drops the records below the level of errors of the thread that creates it."""

    def __init__(self) -> None:
        super().__init__()
        self._thread = threading.get_ident()

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record is kept."""
        return record.levelno >= logging.ERROR or record.thread != self._thread
