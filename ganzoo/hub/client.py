"""The Hub's client, quiet, with timeouts everywhere, and wary of what it is answered."""

from __future__ import annotations

import contextlib
import functools
import ipaddress
import logging
import re
import sys
import threading
import warnings
from collections.abc import Iterator
from importlib import metadata
from typing import Any
from urllib.parse import urlsplit

from huggingface_hub import HfApi, constants, get_session
from huggingface_hub.utils.tqdm import (
    are_progress_bars_disabled,
    disable_progress_bars,
    enable_progress_bars,
)

from ganzoo.distributions import DISTRIBUTION
from ganzoo.errors import HubError
from ganzoo.hub.failures import PATIENCE, RateLimitError, too_many_requests, wait_asked

LIBRARY = "ganzoo"  # how the Hub's tags and statistics know us

CONNECT_TIMEOUT = 1.5  # seconds, unless HF_HUB_ETAG_TIMEOUT is set: no network is soon said
COMMIT_PATIENCE = 6  # times as long as for a download for an answer to what changes the Hub

# They print addresses of files, and these may be signed.
_LOGGERS = ("huggingface_hub", "httpx", "httpx2", "httpcore", "httpcore2")
_FILE_NAME = re.compile(r"[A-Za-z0-9_+=-][A-Za-z0-9._+=-]*")
_LOCK = threading.RLock()  # the client's session is one for all threads


@contextlib.contextmanager
def connected() -> Iterator[HfApi]:
    """Yield the client; its session is given back as it was."""
    _warn_of_endpoint()
    with _LOCK, _quiet():
        session = get_session()
        hooks = session.event_hooks
        session.event_hooks = {
            "request": [*hooks["request"], _limit_time],
            "response": [*hooks["response"], _check_answer],
        }
        try:
            yield HfApi(library_name=LIBRARY, library_version=metadata.version(DISTRIBUTION))
        finally:
            session.event_hooks = hooks


@functools.cache
def say_once(text: str) -> None:
    """Warn, once in a process: others' imports let Python forget what it has warned of."""
    warnings.warn(text, stacklevel=3)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the client from logging, and from drawing progress where nobody looks."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    undecided = constants.HF_HUB_DISABLE_PROGRESS_BARS is None and not are_progress_bars_disabled()
    hidden = undecided and not sys.stderr.isatty()
    try:
        for logger in loggers:
            logger.setLevel(logging.CRITICAL)
        if hidden:
            disable_progress_bars()
        yield
    finally:
        if hidden:
            enable_progress_bars()
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _warn_of_endpoint() -> None:
    address = urlsplit(constants.ENDPOINT)
    if address.scheme != "https" and not _is_loopback(address.hostname or ""):
        say_once(
            f"HF_ENDPOINT is {constants.ENDPOINT}, which is not https: whoever is on the way reads "
            "your token and can change what you download."
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _limit_time(request: Any) -> None:
    """Give every request timeouts: many of the client's have none."""
    given = request.extensions.get("timeout", {})
    patient = constants.HF_HUB_ETAG_TIMEOUT != constants.DEFAULT_ETAG_TIMEOUT
    connect = constants.HF_HUB_ETAG_TIMEOUT if patient else CONNECT_TIMEOUT
    reading = request.method in ("GET", "HEAD")
    usual = constants.HF_HUB_DOWNLOAD_TIMEOUT * (1 if reading else COMMIT_PATIENCE)
    request.extensions["timeout"] = {
        "connect": min(given.get("connect") or connect, connect),
        **{kind: given.get(kind) or usual for kind in ("read", "write", "pool")},
    }


def _check_answer(response: Any) -> None:
    """Refuse an answer before the client acts on it.

    The client takes a file's ETag as its name in the cache, wherever that leads, and waits as long
    as it is told to.
    """
    if response.request.method == "HEAD":
        tag = response.headers.get("x-linked-etag") or response.headers.get("etag", "none")
        name = tag.removeprefix("W/").strip('"')
        if not _FILE_NAME.fullmatch(name):
            raise HubError(
                f"{constants.ENDPOINT} is not to be trusted: it says that a file's ETag is "
                f"{name[:80]!r}, which leads out of the cache. Nothing was written. Correct "
                "HF_ENDPOINT."
            )
    if response.status_code == 429 and wait_asked(response.headers) > PATIENCE:
        raise RateLimitError(too_many_requests(response.headers))
