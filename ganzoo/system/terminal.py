"""Output of the command line: foreign text cannot control a terminal, and lost output is an error.

All messages are printed by `print_out` and `print_error`.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import sys
from collections.abc import Iterator
from typing import Any, TextIO

from ganzoo.errors import OutputError, printable

_COLOUR = re.compile(r"(\x1b\[[0-9;]*m)")


def print_out(*values: object, sep: str = " ", end: str = "\n", flush: bool = False) -> None:
    """Print values to standard output, with control characters escaped."""
    _print(sep.join(map(str, values)), end, sys.stdout, flush)


def print_json(document: Any) -> None:
    """Print one JSON document to standard output; its other characters than ASCII are escaped."""
    print_out(json.dumps(document, indent=2, default=str))


def print_error(text: str = "", *, end: str = "\n", flush: bool = False) -> None:
    """Print text to standard error, with control characters escaped."""
    if sys.stderr is not None:  # else print would use standard output
        _print(text, end, sys.stderr, flush)


def _print(text: str, end: str, file: TextIO, flush: bool) -> None:
    # One write, since lines of several processes may meet in one terminal or pipe.
    print(printable(text) + end, end="", file=file, flush=flush)


@contextlib.contextmanager
def escaped_output() -> Iterator[None]:
    """Escape control characters in all that others print while a block runs, except colours."""
    with (
        contextlib.redirect_stdout(_Escaped(sys.stdout)),
        contextlib.redirect_stderr(_Escaped(sys.stderr)),
    ):
        yield


@contextlib.contextmanager
def usable_streams() -> Iterator[None]:
    """Make standard output and standard error usable while a block runs.

    They escape characters that their encoding lacks. A closed stream is replaced, so that the block
    does its work. Errors of standard error are ignored: there is no other place to report them. If
    the reader of standard output closes it, such as ``head``, the block ends without an error.

    Raises:
        OutputError: standard output is closed or cannot be written, so output is lost.
    """
    streams = sys.stdout, sys.stderr
    if None in (sys.stdin, *streams):
        _occupy_descriptors()
    output = _Output(sys.stdout or _Closed())
    sys.stdout = output
    sys.stderr = _Forgiving(sys.stderr or _Closed())
    try:
        with _escaping(streams[0]), _escaping(streams[1]):
            try:
                yield
            finally:
                output.finish()
    except BrokenPipeError:
        if not output.is_broken:
            raise
    finally:
        sys.stdout, sys.stderr = streams


class _Closed(io.TextIOBase):
    """Replaces a closed stream, and records whether anything was written."""

    encoding = "utf-8"
    used = False

    def write(self, text: str) -> int:
        """Drop the text."""
        self.used = self.used or bool(text)
        return len(text)


class _Stream:
    """Passes everything to another stream."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _Escaped(_Stream):
    """A stream that escapes control characters; a terminal gets colours."""

    def write(self, text: str) -> int:
        """Write text."""
        parts = _COLOUR.split(text) if self._stream.isatty() else [text]
        parts[::2] = map(printable, parts[::2])  # between the colours
        self._stream.write("".join(parts))
        return len(text)


class _Forgiving(_Stream):
    """A stream whose failures are ignored."""

    def write(self, text: str) -> int:
        """Write text."""
        try:
            self._stream.write(text)
        except OSError:
            _discard(self._stream)
        return len(text)

    def flush(self) -> None:
        """Flush the stream."""
        try:
            self._stream.flush()
        except OSError:
            _discard(self._stream)


class _Output(_Stream):
    """Standard output, whose failures are errors of ganzoo, except that its reader closed it."""

    is_broken = False

    def write(self, text: str) -> int:
        """Write text."""
        with self._reporting():
            return int(self._stream.write(text))

    def flush(self) -> None:
        """Flush the stream."""
        with self._reporting():
            self._stream.flush()

    def finish(self) -> None:
        """Flush the stream.

        Raises:
            OutputError: it is closed and something was written, or it cannot be written.
        """
        self.flush()
        if isinstance(self._stream, _Closed) and self._stream.used:
            raise OutputError(
                "standard output is closed, so the output of the command is lost. Redirect it to "
                "a file or to /dev/null."
            )

    @contextlib.contextmanager
    def _reporting(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.is_broken = True
            _discard(self._stream)
            if isinstance(error, BrokenPipeError):
                raise
            raise OutputError(
                f"cannot write to standard output: {error.strerror or error}. Redirect it to a "
                "file on a disk with free space."
            ) from error


def _discard(stream: Any) -> None:
    """Send the rest of a stream nowhere: Python flushes it at its exit, which must not fail."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)


@contextlib.contextmanager
def _escaping(stream: Any) -> Iterator[None]:
    """Escape characters that a stream's encoding lacks, instead of an error."""
    if not isinstance(stream, io.TextIOWrapper):
        yield
        return
    errors = stream.errors
    stream.reconfigure(errors="backslashreplace")
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # it flushes the stream
            stream.reconfigure(errors=errors)


def _occupy_descriptors() -> None:
    """Open descriptors 0 to 2 if they are closed: no other file may get their numbers."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)
