"""Parts of files: of one's own, or of a web server's by HTTP range requests."""

from __future__ import annotations

import http.client
import io
import time
import urllib.error
import urllib.request
from typing import BinaryIO, cast

from ganzoo.errors import DataError, DataNotFoundError

BLOCK = 2**18  # bytes that are fetched at once where a file is read from its beginning
TIMEOUT = 60.0
TRIES = 4
WAIT = 0.5  # seconds before the second try, twice as long before each further one


def is_url(place: str) -> bool:
    """Whether a place is on the web rather than a path."""
    return place.startswith(("http://", "https://"))


def open_seekable(place: str) -> BinaryIO:
    """Open a file or URL for reading.

    Raises:
        DataNotFoundError, DataError: it cannot be opened; of a URL, only when it is read.
    """
    if is_url(place):
        return cast(BinaryIO, io.BufferedReader(_Remote(place), BLOCK))
    try:
        return open(place, "rb")
    except OSError as error:
        raise DataError(f"cannot read {place}: {error.strerror}.") from error


def read_range(place: str, start: int, size: int) -> bytes:
    """Return a part of a file or URL.

    Raises:
        DataNotFoundError, DataError: it cannot be read, or ends before that.
    """
    if is_url(place):
        part = _fetch(place, start, size)
    else:
        with open_seekable(place) as file:
            file.seek(start)
            part = file.read(size)
    if len(part) < size:
        raise DataError(f"{place} ends before byte {start + size}: it has become shorter.")
    return part


class _Remote(io.RawIOBase):
    """A URL as a file."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        if whence == io.SEEK_END:
            raise io.UnsupportedOperation("the end is not known")
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
    """Up to `size` bytes; fewer only where the file ends. Failures that pass are outlasted."""
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-{start + size - 1}"})
    for attempt in range(TRIES):
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
                if answer.status != http.client.PARTIAL_CONTENT:
                    raise DataError(
                        f"the server of {url} sends whole files alone, not the parts asked for. "
                        "Download the shards and name their folder: --data DIR."
                    )
                return bytes(answer.read())
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
        if attempt < TRIES - 1:
            time.sleep(WAIT * 2**attempt)
    raise DataError(
        f"cannot read {url}, tried {TRIES} times: {reason}. Try again when the server answers, or "
        "download the shards and name their folder: --data DIR."
    )
