"""The Hub's client, without log output, with a timeout on every request and checked responses."""

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
from ganzoo.hub.failures import MAX_WAIT, RateLimitError, describe_rate_limit, retry_after
from ganzoo.registry.distributions import DISTRIBUTION
from ganzoo.registry.names import is_commit

# Public address of a repository. HF_ENDPOINT may name a mirror instead.
PUBLIC = constants._HF_DEFAULT_ENDPOINT

LIBRARY = "ganzoo"  # name in the Hub's tags and statistics

CONNECT_TIMEOUT = 1.5  # seconds, unless HF_HUB_ETAG_TIMEOUT is set; a missing network fails fast
WRITE_TIMEOUT_FACTOR = 6  # a request that changes the Hub may take this many download timeouts

# These loggers print file addresses, which may hold a signature.
_LOGGERS = ("huggingface_hub", "httpx", "httpx2", "httpcore", "httpcore2")
_FILE_NAME = re.compile(r"[A-Za-z0-9_+=-][A-Za-z0-9._+=-]*")
_LOCK = threading.RLock()  # all threads share one client session


@contextlib.contextmanager
def connect() -> Iterator[HfApi]:
    """Yield the client and restore its session afterwards.

    Raises:
        TimeoutError: the Hub does not answer.
    """
    _warn_of_endpoint()
    _check_network(constants.ENDPOINT)
    with _LOCK, _silence(), _add_hooks():
        yield HfApi(library_name=LIBRARY, library_version=metadata.version(DISTRIBUTION))


@contextlib.contextmanager
def _add_hooks() -> Iterator[None]:
    """Hook timeouts and checks into the current session and into every session that replaces it.

    The client's factory opens a new session when a connection breaks.
    """
    factory, originals = _http._GLOBAL_CLIENT_FACTORY, []

    def add_hooks(session: Any) -> Any:
        hooks = session.event_hooks
        originals.append((session, hooks))
        session.event_hooks = {
            "request": [*hooks["request"], _limit_time],
            "response": [*hooks["response"], _check_answer],
        }
        return session

    add_hooks(get_session())
    _http._GLOBAL_CLIENT_FACTORY = lambda: add_hooks(factory())
    try:
        yield
    finally:
        _http._GLOBAL_CLIENT_FACTORY = factory
        for session, hooks in originals:
            session.event_hooks = hooks


@functools.cache
def warn_once(text: str) -> None:
    """Warn once per process, even if another import resets Python's record of warnings."""
    warnings.warn(text, stacklevel=3)


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Turn off the client's logs, and its progress bars if stderr is not a terminal."""
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
        warn_once(
            f"HF_ENDPOINT is {constants.ENDPOINT}, which does not use https. Others on the network "
            "can read your token and change your downloads. Set HF_ENDPOINT to an https address."
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@functools.cache  # caches success only: after an error, the next call checks again
def _check_network(endpoint: str) -> None:
    """Fail early if the endpoint does not answer.

    The client applies its timeout to each address of a host, which may have a dozen, and looks up
    the host's name without a timeout.

    Raises:
        TimeoutError: the name lookup or the connection takes too long. Other failures appear in
            the first request.
    """
    has_own_factory = _http._GLOBAL_CLIENT_FACTORY is not _http.default_client_factory
    address, attempt_done = urlsplit(endpoint), threading.Event()
    uses_proxy = {address.scheme, "all"} & getproxies().keys()
    if constants.is_offline_mode() or has_own_factory or uses_proxy:
        return
    port = address.port or (443 if address.scheme == "https" else 80)

    def connect() -> None:
        with contextlib.suppress(OSError):
            socket.create_connection((address.hostname, port), _connect_timeout()).close()
        attempt_done.set()

    threading.Thread(target=connect, daemon=True).start()
    if not attempt_done.wait(_connect_timeout()):
        raise TimeoutError


def _connect_timeout() -> float:
    is_set = constants.HF_HUB_ETAG_TIMEOUT != constants.DEFAULT_ETAG_TIMEOUT
    return constants.HF_HUB_ETAG_TIMEOUT if is_set else CONNECT_TIMEOUT


def _limit_time(request: Any) -> None:
    """Set timeouts on a request: many of the client's requests have none."""
    timeouts = request.extensions.get("timeout", {})
    connect_timeout = _connect_timeout()
    is_read = request.method in ("GET", "HEAD")
    default = constants.HF_HUB_DOWNLOAD_TIMEOUT * (1 if is_read else WRITE_TIMEOUT_FACTOR)
    request.extensions["timeout"] = {
        "connect": min(timeouts.get("connect") or connect_timeout, connect_timeout),
        **{kind: timeouts.get(kind) or default for kind in ("read", "write", "pool")},
    }


def _check_answer(response: Any) -> None:
    """Reject a response before the client acts on it.

    The client uses a file's ETag as a file name in the cache and a commit as a folder name, without
    checking them for path separators. It also waits for as long as the server asks.
    """
    commit = response.headers.get(constants.HUGGINGFACE_HEADER_X_REPO_COMMIT)
    if commit is not None and not is_commit(commit):
        raise HubError(
            f"{constants.ENDPOINT} sent an invalid commit hash, {commit[:80]!r}. Nothing was "
            "written. Check HF_ENDPOINT."
        )
    if response.request.method == "HEAD":
        tag = response.headers.get("x-linked-etag") or response.headers.get("etag", "none")
        name = tag.removeprefix("W/").strip('"')
        if not _FILE_NAME.fullmatch(name):
            raise HubError(
                f"{constants.ENDPOINT} sent an unsafe ETag, {name[:80]!r}: as a file name it "
                "points outside the cache. Nothing was written. Check HF_ENDPOINT."
            )
    if response.status_code == 429 and retry_after(response.headers) > MAX_WAIT:
        raise RateLimitError(describe_rate_limit(response.headers))
