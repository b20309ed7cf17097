"""Hide or record what a library prints, logs and warns of, in the calling thread only.

`warnings.catch_warnings` replaces the filters of the whole process: other threads' warnings are
hidden, too, and if two threads replace and restore the filters at once, they stay replaced. So each
block here adds a filter that matches in its thread alone.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import Any

_QUIET = threading.RLock()  # held by a thread that is quiet
_LOCK = threading.Lock()  # of the records
_RECORDS: dict[int, list[warnings.WarningMessage]] = {}  # by thread


@contextlib.contextmanager
def ignored_warnings(kind: type[Warning] = Warning) -> Iterator[None]:
    """Ignore warnings of a class while the block runs."""
    with _filter("ignore", kind):
        yield


@contextlib.contextmanager
def recorded_warnings() -> Iterator[list[warnings.WarningMessage]]:
    """Yield a list of all warnings while the block runs; none is shown."""
    thread = threading.get_ident()
    before = _RECORDS.get(thread)
    record: list[warnings.WarningMessage] = []
    with _LOCK:
        _RECORDS[thread] = record
        if not isinstance(warnings.showwarning, _Show):
            warnings.showwarning = _Show(warnings.showwarning)  # type: ignore[assignment]
    try:
        with _filter("always", Warning):
            yield record
    finally:
        with _LOCK:
            _RECORDS.pop(thread)
            if before is not None:
                _RECORDS[thread] = before
            if not _RECORDS and isinstance(warnings.showwarning, _Show):
                warnings.showwarning = warnings.showwarning.others


@contextlib.contextmanager
def _filter(action: str, kind: type[Warning]) -> Iterator[None]:
    thread = _ThisThread()
    # Not by `warnings.simplefilter`, which shows warnings again that were shown once.
    entry: Any = (action, thread, kind, None, 0)
    warnings.filters.insert(0, entry)  # type: ignore[attr-defined]
    try:
        yield
    finally:
        thread.ended = True  # another thread may have kept a copy of the filters
        with contextlib.suppress(ValueError):
            warnings.filters.remove(entry)  # type: ignore[attr-defined]


def is_of_one_thread(entry: tuple[Any, ...]) -> bool:
    """Whether an entry of the filters of warnings belongs to a block of this module."""
    return isinstance(entry[1], _ThisThread)


class _ThisThread:
    """Matches the text of every warning of the thread that creates it, in place of a pattern."""

    def __init__(self) -> None:
        self._thread, self.ended = threading.get_ident(), False

    def match(self, text: str) -> bool:
        """Return whether the filter applies."""
        return not self.ended and threading.get_ident() == self._thread


class _Show:
    """Records warnings of the threads that record, and shows those of others."""

    def __init__(self, others: Any) -> None:
        self.others = others

    def __call__(self, message: Any, category: Any, filename: str, *others: Any) -> None:
        if (record := _RECORDS.get(threading.get_ident())) is None:
            self.others(message, category, filename, *others)
        else:
            record.append(warnings.WarningMessage(message, category, filename, *others))


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Hide all warnings, what the block prints, and what it logs below the level of errors.

    One thread at a time runs such a block; `sys.stdout` belongs to the whole process.
    """
    loggers = [logging.root, *logging.root.manager.loggerDict.values()]
    handlers = {handler for logger in loggers for handler in getattr(logger, "handlers", ())}
    handlers |= {logging.lastResort} - {None}  # prints warnings if no handler is installed
    drop = _DropLogs()
    with hidden_output(), ignored_warnings():
        try:
            for handler in handlers:
                handler.addFilter(drop)
            yield
        finally:
            for handler in handlers:
                handler.removeFilter(drop)


@contextlib.contextmanager
def hidden_output() -> Iterator[None]:
    """Hide what the block prints in the calling thread; one thread at a time runs such a block."""
    with _QUIET, contextlib.redirect_stdout(_DropOutput(sys.stdout)):
        yield


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
