"""The Hub's client, quiet, with timeouts everywhere, and wary of what it is answered."""

from __future__ import annotations

import contextlib
import functools
import ipaddress
import logging
import re
import socket
import sys
import threading
import warnings
from collections.abc import Iterator
from importlib import metadata
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from huggingface_hub import HfApi, constants, get_session
from huggingface_hub.utils import _http
from huggingface_hub.utils.tqdm import (
    are_progress_bars_disabled,
    disable_progress_bars,
    enable_progress_bars,
)

from ganzoo.errors import HubError
from ganzoo.hub.failures import PATIENCE, RateLimitError, too_many_requests, wait_asked
from ganzoo.registry.distributions import DISTRIBUTION
from ganzoo.registry.names import is_commit

# Where everybody finds what is published, whatever mirror HF_ENDPOINT names.
PUBLIC = constants._HF_DEFAULT_ENDPOINT

LIBRARY = "ganzoo"  # how the Hub's tags and statistics know us

CONNECT_TIMEOUT = 1.5  # seconds, unless HF_HUB_ETAG_TIMEOUT is set: no network is soon said
COMMIT_PATIENCE = 6  # times as long as for a download for an answer to what changes the Hub

# They print addresses of files, and these may be signed.
_LOGGERS = ("huggingface_hub", "httpx", "httpx2", "httpcore", "httpcore2")
_FILE_NAME = re.compile(r"[A-Za-z0-9_+=-][A-Za-z0-9._+=-]*")
_LOCK = threading.RLock()  # the client's session is one for all threads


@contextlib.contextmanager
def connected() -> Iterator[HfApi]:
    """Yield the client; its session is given back as it was.

    Raises:
        TimeoutError: no address of the Hub's answers.
    """
    _warn_of_endpoint()
    _check_network(constants.ENDPOINT)
    with _LOCK, _quiet(), _watched():
        yield HfApi(library_name=LIBRARY, library_version=metadata.version(DISTRIBUTION))


@contextlib.contextmanager
def _watched() -> Iterator[None]:
    """Watch every request, of the session that is and of those that replace it.

    The client opens a new session, by its factory, when a connection fails in the middle.
    """
    factory, changed = _http._GLOBAL_CLIENT_FACTORY, []

    def watch(session: Any) -> Any:
        hooks = session.event_hooks
        changed.append((session, hooks))
        session.event_hooks = {
            "request": [*hooks["request"], _limit_time],
            "response": [*hooks["response"], _check_answer],
        }
        return session

    watch(get_session())
    _http._GLOBAL_CLIENT_FACTORY = lambda: watch(factory())
    try:
        yield
    finally:
        _http._GLOBAL_CLIENT_FACTORY = factory
        for session, hooks in changed:
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


@functools.cache  # of what is well: an error is found anew
def _check_network(endpoint: str) -> None:
    """Say soon that nothing answers.

    The client's timeout is for each single address of a host, of which there may be a dozen, and to
    find them it waits as long as it takes.

    Raises:
        TimeoutError: no address is found or answers. What else fails, a request will say.
    """
    own = _http._GLOBAL_CLIENT_FACTORY is not _http.default_client_factory
    address, answered = urlsplit(endpoint), threading.Event()
    proxied = {address.scheme, "all"} & getproxies().keys()
    if constants.is_offline_mode() or own or proxied:  # whose ways are their own
        return
    port = address.port or (443 if address.scheme == "https" else 80)

    def connect() -> None:
        with contextlib.suppress(OSError):
            socket.create_connection((address.hostname, port), _connect_timeout()).close()
        answered.set()

    threading.Thread(target=connect, daemon=True).start()
    if not answered.wait(_connect_timeout()):
        raise TimeoutError


def _connect_timeout() -> float:
    patient = constants.HF_HUB_ETAG_TIMEOUT != constants.DEFAULT_ETAG_TIMEOUT
    return constants.HF_HUB_ETAG_TIMEOUT if patient else CONNECT_TIMEOUT


def _limit_time(request: Any) -> None:
    """Give every request timeouts: many of the client's have none."""
    given = request.extensions.get("timeout", {})
    connect = _connect_timeout()
    reading = request.method in ("GET", "HEAD")
    usual = constants.HF_HUB_DOWNLOAD_TIMEOUT * (1 if reading else COMMIT_PATIENCE)
    request.extensions["timeout"] = {
        "connect": min(given.get("connect") or connect, connect),
        **{kind: given.get(kind) or usual for kind in ("read", "write", "pool")},
    }


def _check_answer(response: Any) -> None:
    """Refuse an answer before the client acts on it.

    The client takes a file's ETag as its name in the cache and a commit as the name of its folder,
    wherever they lead, and waits as long as it is told to.
    """
    commit = response.headers.get(constants.HUGGINGFACE_HEADER_X_REPO_COMMIT)
    if commit is not None and not is_commit(commit):
        raise HubError(
            f"{constants.ENDPOINT} is not to be trusted: it says that a file's commit is "
            f"{commit[:80]!r}, which is none. Nothing was written. Correct HF_ENDPOINT."
        )
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
