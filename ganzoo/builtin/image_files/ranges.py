"""Reading of parts of files, from disk or from a web server by HTTP range requests."""

from __future__ import annotations

import http.client
import io
import time
import urllib.error
import urllib.request
from typing import BinaryIO, cast

from ganzoo.errors import DataError, DataNotFoundError

BLOCK = 2**18  # bytes per request when a file is read sequentially
TIMEOUT = 60.0  # seconds without a byte, all tries together
TRIES = 4
WAIT = 0.5  # seconds before the second try; doubles before each further one


def is_url(place: str) -> bool:
    """Return whether a place is a URL, not a path."""
    return place.startswith(("http://", "https://"))


def open_seekable(place: str) -> BinaryIO:
    """Open a file or URL for reading.

    Raises:
        DataError: the file cannot be opened. A URL raises only when it is read.
    """
    if is_url(place):
        return cast(BinaryIO, io.BufferedReader(_Remote(place), BLOCK))
    try:
        return open(place, "rb")
    except OSError as error:
        raise _unreadable(place, error) from error


def _unreadable(place: str, error: OSError) -> DataError:
    return DataError(f"cannot read {place}: {error.strerror}. Check the file.")


def read_range(place: str, start: int, size: int) -> bytes:
    """Return `size` bytes of a file or URL from byte `start` on.

    Raises:
        DataNotFoundError: the URL does not exist.
        DataError: it cannot be read, or is too short.
    """
    if is_url(place):
        part = _fetch(place, start, size)
    else:
        with open_seekable(place) as file:
            try:
                file.seek(start)
                part = file.read(size)
            except OSError as error:
                raise _unreadable(place, error) from error
    if len(part) < size:
        raise DataError(
            f"{place} ends before byte {start + size}: it is shorter than when its headers were "
            "read. Restore the file and start again."
        )
    return part


class _Remote(io.RawIOBase):
    """A seekable binary file that reads from a URL."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        if whence == io.SEEK_END:
            raise io.UnsupportedOperation("cannot seek from the end: the size is unknown")
        self._position = offset + (self._position if whence == io.SEEK_CUR else 0)
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        part = _fetch(self._url, self._position, len(buffer))
        buffer[: len(part)] = part
        self._position += len(part)
        return len(part)


def _fetch(url: str, start: int, size: int) -> bytes:
    """Return `size` bytes, or fewer at the end of the file. Temporary failures are retried."""
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-{start + size - 1}"})
    end = time.monotonic() + TIMEOUT
    for attempt in range(1, TRIES + 1):
        try:
            left = max(end - time.monotonic(), 1e-3) / (TRIES - attempt + 1)
            with urllib.request.urlopen(request, timeout=left) as response:
                if response.status != http.client.PARTIAL_CONTENT:
                    raise DataError(
                        f"cannot read parts of {url}: the server does not support range requests. "
                        "Download the shards and pass their folder with --data DIR."
                    )
                return bytes(response.read())
        except urllib.error.HTTPError as error:
            if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
                return b""
            reason = f"{error.code} {error.reason}"
            if error.code < 500 and error.code != http.client.TOO_MANY_REQUESTS:
                raise DataNotFoundError(
                    f"cannot read {url}: {reason}. Check the address in --dataset.urls."
                ) from error
        except (OSError, http.client.HTTPException) as error:
            reason = str(getattr(error, "reason", "") or error or type(error).__name__)
        wait = WAIT * 2 ** (attempt - 1)
        if attempt == TRIES or time.monotonic() + wait > end:
            break
        time.sleep(wait)
    tries = "1 try" if attempt == 1 else f"{attempt} tries"
    raise DataError(
        f"cannot read {url} after {tries}: {reason}. All tries together have {TIMEOUT:g} seconds. "
        "Try again later, or download the shards and pass their folder with --data DIR."
    )
