"""The Hub's client, without log output, with a timeout on every request and checked responses."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import ipaddress
import logging
import re
import socket
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies

from huggingface_hub import HfApi, constants, get_session
from huggingface_hub.utils import _http
from huggingface_hub.utils.tqdm import (
    are_progress_bars_disabled,
    disable_progress_bars,
    enable_progress_bars,
)

from ganzoo.bundle.files import git_hash, sha256
from ganzoo.errors import HubError
from ganzoo.hub.budget import Budget, limit
from ganzoo.hub.failures import (
    MAX_WAIT,
    RateLimitError,
    describe_rate_limit,
    retry,
    retry_after,
)
from ganzoo.hub.progress import fail_at_once, watch_request, watch_response
from ganzoo.registry.distributions import DISTRIBUTION
from ganzoo.registry.names import is_commit
from ganzoo.system.bars import rewrites_lines

T = TypeVar("T")

# Public address of a repository. HF_ENDPOINT may name a mirror instead.
PUBLIC = constants._HF_DEFAULT_ENDPOINT

LIBRARY = "ganzoo"  # name in the Hub's tags and statistics

CONNECT_TIMEOUT = 1.5  # seconds, unless HF_HUB_ETAG_TIMEOUT is set; a missing network fails fast
SHORTEST = 0.01  # seconds; a timeout of 0 means none

# These loggers print file addresses, which may hold a signature.
_LOGGERS = ("huggingface_hub", "httpx", "httpx2", "httpcore", "httpcore2")
_FILE_NAME = re.compile(r"[A-Za-z0-9_+=-][A-Za-z0-9._+=-]*")
_SHA256, _SHA1 = re.compile("[0-9a-f]{64}"), re.compile("[0-9a-f]{40}")
_LOCK = threading.RLock()  # all threads share one client session


@dataclass(frozen=True)
class Connection:
    """The client for one operation, and the time that the operation may take."""

    api: HfApi
    budget: Budget

    def retry(self, request: Callable[[], T]) -> T:
        """Call a function, and call it again after temporary failures while time is left."""
        return retry(request, self.budget)

    def download(self, repository: str, file: str, **options: Any) -> Path:
        """Return a file in the client's cache; download it if it is not there.

        The client does not verify its downloads. A file that does not match the checksum that the
        Hub states is downloaded a second time.

        Args:
            repository: ``org/name``.
            file: path of the file in it.
            options: other arguments of the client's function.

        Raises:
            HubError: the second download does not match either; it is removed.
        """
        for force in (False, True):
            request = functools.partial(
                self.api.hf_hub_download, repository, file, force_download=force, **options
            )
            path = Path(self.retry(request))
            if is_intact(path):
                return path
        path.resolve().unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        raise HubError(
            f"{repository}: two downloads of {file} do not match the checksum that "
            f"{constants.ENDPOINT} states, so the file is removed. Type the command again; if the "
            "error stays, check the proxy and HF_ENDPOINT."
        )


def is_intact(path: Path) -> bool:
    """Return whether a file in the client's cache matches the checksum that the Hub states.

    The cache names the target of its link by the file's ETag. On the Hub, this is the SHA-256 of a
    large file, and the SHA-1 of git for others; some mirrors state the SHA-1 of the content. With
    any other name, as in a cache without links, nothing is compared.
    """
    blob = path.resolve()
    if _SHA256.fullmatch(blob.name):
        return sha256(blob) == blob.name
    if _SHA1.fullmatch(blob.name):
        content = blob.read_bytes()
        return blob.name in (
            git_hash(content),
            hashlib.sha1(content, usedforsecurity=False).hexdigest(),
        )
    return True


@contextlib.contextmanager
def connect() -> Iterator[Connection]:
    """Yield the client for one operation and restore its session afterwards.

    Raises:
        TimeoutError: the Hub does not answer.
        HubError: the environment's time limit is not a number.
    """
    budget = Budget(limit())
    _warn_of_endpoint()
    _check_network(constants.ENDPOINT)
    with _LOCK, _silence():
        budget.progress()  # another thread's operation does not count
        with _add_hooks(budget):
            version = metadata.version(DISTRIBUTION)
            yield Connection(HfApi(library_name=LIBRARY, library_version=version), budget)


@contextlib.contextmanager
def _add_hooks(budget: Budget) -> Iterator[None]:
    """Hook the time limit and checks into the session and into every session that replaces it.

    The client's factory opens a new session when a connection breaks. Requests of threads that
    run already are not this operation's, but share the session: they stay as they are.
    """
    factory, undo = _http._GLOBAL_CLIENT_FACTORY, contextlib.ExitStack()
    others = {thread.ident for thread in threading.enumerate()} - {threading.get_ident()}

    def is_own() -> bool:
        return threading.get_ident() not in others

    def own(hook: Callable[[Any], None]) -> Callable[[Any], None]:
        return lambda message: hook(message) if is_own() else None

    def add_hooks(session: Any) -> Any:
        hooks = session.event_hooks
        session.event_hooks = {
            "request": [
                *hooks["request"],
                own(_refuse_unasked),
                own(functools.partial(watch_request, budget=budget)),
                own(functools.partial(_limit_time, budget=budget)),
            ],
            "response": [
                *hooks["response"],
                own(_check_answer),
                own(functools.partial(watch_response, budget=budget)),
            ],
        }
        undo.callback(setattr, session, "event_hooks", hooks)
        undo.callback(fail_at_once(session, is_own))
        return session

    add_hooks(get_session())
    _http._GLOBAL_CLIENT_FACTORY = lambda: add_hooks(factory())
    try:
        yield
    finally:
        _http._GLOBAL_CLIENT_FACTORY = factory
        undo.close()


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
    hidden = undecided and not rewrites_lines()
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


def _refuse_unasked(request: Any) -> None:
    """Refuse a request that the client makes for its statistics; it goes on without the answer."""
    if request.url.path == "/api/agent-harnesses":
        raise OSError("nobody asked for this request")


def _limit_time(request: Any, budget: Budget) -> None:
    """Set timeouts on a request, at most the time that is left: many requests have none.

    A request that changes the Hub may take all of it.
    """
    timeouts, left = request.extensions.get("timeout", {}), max(budget.left, SHORTEST)
    is_read = request.method in ("GET", "HEAD")
    default = constants.HF_HUB_DOWNLOAD_TIMEOUT if is_read else left
    defaults = dict.fromkeys(("read", "write", "pool"), default) | {"connect": _connect_timeout()}
    request.extensions["timeout"] = {
        kind: min(timeouts.get(kind) or seconds, seconds if kind == "connect" else left, left)
        for kind, seconds in defaults.items()
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
