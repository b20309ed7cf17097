"""Errors of the Hub's client: retry the temporary ones and explain the others."""

from __future__ import annotations

import contextlib
import errno
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from json import JSONDecodeError
from typing import TypeVar

from huggingface_hub import constants, get_token
from huggingface_hub.errors import (
    DisabledRepoError,
    FileMetadataError,
    GatedRepoError,
    HfHubHTTPError,
    OfflineModeIsEnabled,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from ganzoo.errors import GanzooError, HubError
from ganzoo.hub.budget import Budget, describe_limit

T = TypeVar("T")

WAITS = (0.25, 0.5, 1.0)  # seconds before each retry, as far as the budget allows
MAX_WAIT = 5.0  # seconds; if a server asks for a longer wait, the request fails

TEMPORARY = {408, 429, 500, 502, 503, 504}
_RACES = {409, 412}  # another commit came first, or this one did and its response was lost
_CLOSED = {401, 403, 404, 429}  # without a token; with one, the request may succeed
_QUOTA = {402, 413, 507}
_LOGIN = "hf auth login, or set HF_TOKEN"
# Version 1 of the client raises errors of httpx, version 2 errors of httpx2.
_NETWORK = {"httpx", "httpx2", "httpcore", "httpcore2", "ssl"}


class UnreachableError(HubError):
    """The Hub does not answer now; cached files can still be used."""


class RateLimitError(UnreachableError):
    """The Hub's rate limit is reached."""


def retry(request: Callable[[], T], budget: Budget) -> T:
    """Call a function, and call it again up to three times after a temporary failure.

    Args:
        request: the function.
        budget: the time that its operation may take.
    """
    for wait in WAITS:
        try:
            return request()
        except Exception as error:
            if not is_temporary(error) or not wait_within(budget, wait, error):
                raise
    return request()


def wait_within(budget: Budget, wait: float, error: BaseException) -> bool:
    """Wait before a retry, as long as the server asks; return False if too little time is left."""
    wait = max(wait, _server_wait(error))
    if wait >= budget.left:
        return False
    time.sleep(wait)
    return True


def is_temporary(error: BaseException, *, commit: bool = False) -> bool:
    """Return whether a retry may help, for example after a reset connection or a busy server.

    Args:
        error: the client's error.
        commit: whether the request was a commit, which may succeed while its response is lost.
    """
    for cause in _chain(error):
        if isinstance(cause, HfHubHTTPError):
            return cause.response.status_code in TEMPORARY | (_RACES if commit else set())
        if is_network(cause):
            kind = type(cause).__name__
            # No server listens or answers: a retry would take as long and fail again.
            return not kind.startswith("Connect") and (commit or "Timeout" not in kind)
        if "Consistency check failed" in str(cause):  # the file is shorter than announced
            return True
    return False


@contextlib.contextmanager
def translated_errors(name: object, file: str = "", *, writing: bool = False) -> Iterator[None]:
    """Turn the client's errors into a `HubError` that says what to type next.

    Args:
        name: the model or repository, as the user wrote it.
        file: the requested file.
        writing: whether the requests change the repository.
    """
    try:
        yield
    except GanzooError:
        raise
    except Exception as error:
        for cause in _chain(error):
            if isinstance(cause, GanzooError):
                raise cause from None
            if explanation := _explain(cause, file, writing):
                explanation += _explain_limit(cause)
                # Not `from error`: its text may hold a signed address.
                kind = UnreachableError if _is_unreachable(cause) else HubError
                raise kind(f"{name}: {explanation}") from None
        if isinstance(error, OSError | RuntimeError | ValueError):
            raise HubError(f"{name}: {_without_secrets(str(error))}") from None
        if isinstance(error, LookupError | TypeError | AttributeError):  # a malformed response
            raise UnreachableError(f"{name}: {_describe_malformed()}") from error
        raise


def retry_after(headers: Mapping[str, str]) -> float:
    """Return the seconds that a response asks to wait before the next request, 0 for none."""
    explicit = re.fullmatch(r"\s*([0-9]{1,9})\s*", headers.get("retry-after", ""))
    rate_limit = re.search(r"\br=0;\s*t=([0-9]{1,9})(?![0-9])", headers.get("ratelimit", ""))
    match = explicit or rate_limit
    return float(match[1]) if match else 0.0


def describe_rate_limit(headers: Mapping[str, str]) -> str:
    """Return the message for a response with status 429."""
    wait = retry_after(headers)
    when = f"in {wait:.0f} seconds" if wait else "in a few minutes"
    login = "" if get_token() else f" To raise the limit, log in: {_LOGIN}."
    return f"too many requests to the Hub (429). Try again {when}.{login}"


def may_take_token(error: HfHubHTTPError | RateLimitError) -> bool:
    """Return whether the request may succeed with the user's token, if the user has one."""
    status = 429 if isinstance(error, RateLimitError) else error.response.status_code
    return status in _CLOSED and get_token() is not None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and its causes: only a cause says that a repository is disabled."""
    while error is not None:
        yield error
        error = error.__cause__


def is_network(error: BaseException) -> bool:
    """Return whether the network, and not the Hub, failed."""
    if type(error) is TimeoutError:  # raised by the network check of `ganzoo.hub.client`
        return True
    modules = {cls.__module__.partition(".")[0] for cls in type(error).__mro__}
    return bool(modules & _NETWORK)


def _server_wait(error: BaseException) -> float:
    for cause in _chain(error):
        if isinstance(cause, HfHubHTTPError):
            return min(retry_after(cause.response.headers), MAX_WAIT)
    return 0.0


def _explain_limit(error: BaseException) -> str:
    """Return a sentence on the time limit if the error may have taken long, else nothing."""
    if isinstance(error, HfHubHTTPError):
        takes_long = error.response.status_code in TEMPORARY
    else:
        takes_long = is_network(error) and not type(error).__name__.startswith("Connect")
    return f" {describe_limit()}" if takes_long else ""


def _is_unreachable(error: BaseException) -> bool:
    if isinstance(error, HfHubHTTPError):
        return error.response.status_code in TEMPORARY
    if isinstance(error, OfflineModeIsEnabled | FileMetadataError | JSONDecodeError):
        return True
    return is_network(error)


def _explain(error: BaseException, file: str, writing: bool) -> str | None:
    """Return what is true and what to type next, None for an error without an explanation."""
    # The order matters: GatedRepoError is a RepositoryNotFoundError, most errors are HTTP errors,
    # and HTTP errors are network errors.
    missing = f"{file} is not in the cache, {constants.HF_HUB_CACHE}" if file else ""
    if isinstance(error, OfflineModeIsEnabled):
        return (
            f"{missing}{', and ' if missing else ''}HF_HUB_OFFLINE forbids requests to the Hub. "
            f"Unset it{', or set HF_HOME to the folder of another cache' if missing else ''}."
        )
    if isinstance(error, FileMetadataError | JSONDecodeError):
        return _describe_malformed()
    if isinstance(error, GatedRepoError):
        return (
            "access to the repository needs its owner's approval. Request access on its page, then "
            f"log in: {_LOGIN}."
        )
    if isinstance(error, DisabledRepoError):
        return "the repository is disabled on the Hub and cannot be downloaded. Use another model."
    if isinstance(error, RevisionNotFoundError):
        return (
            "the repository has no such branch, tag or commit. Leave out @REVISION to use the "
            "main branch."
        )
    if isinstance(error, RemoteEntryNotFoundError):
        return (
            f"the repository has no {file}, so it is not a ganzoo model. `ganzoo list --hub` "
            "lists the models. `ganzoo import hf://org/repo/FILE` converts a file of another "
            "project."
        )
    if isinstance(error, RepositoryNotFoundError):
        if get_token():
            return "the repository does not exist, or your token cannot read it. Check its name."
        return (
            "no public repository has this name. Check it; to read a private one, log in: "
            f"{_LOGIN}."
        )
    if isinstance(error, HfHubHTTPError):
        return _explain_status(error, writing)
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        folder, variable = constants.HF_HUB_CACHE, "HF_HOME"
        if writing:  # a push downloads its files into a temporary folder to compare them
            folder, variable = tempfile.gettempdir(), "TMPDIR"
        return f"no space is left in {folder}. Free some, or set {variable} to another folder."
    if isinstance(error, PermissionError) or getattr(error, "errno", None) == errno.EROFS:
        return (
            f"the cache, {constants.HF_HUB_CACHE}, cannot be written. Set HF_HOME to a folder that "
            "can be written."
        )
    if type(error) is ConnectionError and not constants.HF_HUB_DISABLE_XET:
        return (
            f"the transfer by Xet failed: {_without_secrets(str(error))} A mirror or proxy may "
            "not support Xet. Set HF_HUB_DISABLE_XET=1 to transfer without it."
        )
    if is_network(error):
        return (
            f"{missing}{', and ' if missing else ''}{constants.ENDPOINT} cannot be reached "
            f"({type(error).__name__}). Connect to the network and try again."
        )
    return None


def _describe_malformed() -> str:
    return (
        f"{constants.ENDPOINT} does not answer like the Hub. The cause may be a proxy, the "
        "network's login page or a wrong HF_ENDPOINT. Open the address in a browser to see which."
    )


def _explain_status(error: HfHubHTTPError, writing: bool) -> str:
    status = error.response.status_code
    message = _without_secrets(error.server_message or "")
    detail = f" ({status}: {message})" if message else f" ({status})"
    if status == 401:
        if get_token():
            return f"the Hub does not accept your token{detail}. Get a new one: {_LOGIN}."
        return f"the Hub requires a login{detail}: {_LOGIN}."
    if status == 403:
        if not get_token():
            return f"the repository is not public{detail}. Log in: {_LOGIN}."
        if writing:
            return (
                f"your token has no write access{detail}. Create one with write access, then log "
                f"in: {_LOGIN}."
            )
        return f"your token has no read access{detail}. Log in with another: {_LOGIN}."
    if status == 404:
        return f"no such user, organisation or repository on the Hub{detail}. Check its name."
    if status in _RACES:
        return f"another commit to the repository came first{detail}. Push again."
    if status in _QUOTA:
        return f"your storage on the Hub is full{detail}. Free space there, or raise your quota."
    if status == 429:
        return describe_rate_limit(error.response.headers)
    if status >= 500:
        return f"the Hub failed{detail}. Try again later."
    return f"the Hub rejected the request{detail}."


def _without_secrets(text: str) -> str:
    """Return the beginning of a message of the client or the server, without secrets.

    Addresses may be signed, and the client quotes an invalid header together with its token.
    """
    text = "".join(c if c.isprintable() else " " for c in text)
    text = " ".join("..." if "://" in word else word for word in text.split())
    return re.sub(r"Bearer .*|hf_\w+", "...", text)[:300]
