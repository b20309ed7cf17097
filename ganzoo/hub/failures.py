"""What the Hub's client raises, told apart: what may pass by itself, and what to type next."""

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

T = TypeVar("T")

WAITS = (0.25, 0.5, 1.0)  # seconds before each new try
PATIENCE = 5.0  # seconds; a server that asks for a longer wait is not waited for

_TEMPORARY = {408, 429, 500, 502, 503, 504}
_RACES = {409, 412}  # another commit came first, or this one did and its answer was lost
_CLOSED = {401, 403, 404, 429}  # to those who are not logged in, and maybe not to others
_QUOTA = {402, 413, 507}
_LOGIN = "hf auth login, or set HF_TOKEN"
# The client's 1.x raises errors of httpx, its 2.x those of httpx2.
_NETWORK = {"httpx", "httpx2", "httpcore", "httpcore2", "ssl"}


class UnreachableError(HubError):
    """The Hub cannot be asked now; what is in the cache can still be used."""


class RateLimitError(UnreachableError):
    """The Hub takes no more requests for a while, or none from those who are not logged in."""


def persist(act: Callable[[], T]) -> T:
    """Act, and again up to three times where what failed may pass by itself."""
    for wait in WAITS:
        try:
            return act()
        except Exception as error:
            if not is_temporary(error):
                raise
            time.sleep(max(wait, _asked_wait(error)))
    return act()


def is_temporary(error: BaseException, *, racing: bool = False) -> bool:
    """Whether trying again may help: a reset connection, a busy server.

    Args:
        error: what the client raised.
        racing: whether it came of a commit, of which the answer alone may be lost.
    """
    for each in _chain(error):
        if isinstance(each, HfHubHTTPError):
            return each.response.status_code in _TEMPORARY | (_RACES if racing else set())
        if _is_network(each):
            kind = type(each).__name__
            # Nothing listens there, or nothing answers: asking again would only take as long.
            return not kind.startswith("Connect") and (racing or "Timeout" not in kind)
        if "Consistency check failed" in str(each):  # fewer bytes came than were announced
            return True
    return False


@contextlib.contextmanager
def explained(name: object, file: str = "", *, writing: bool = False) -> Iterator[None]:
    """Turn what the client raises into a `HubError` that says what to type next.

    Args:
        name: the model or repository, as the user named it.
        file: which of its files is asked for.
        writing: whether the repository is being written.
    """
    try:
        yield
    except GanzooError:
        raise
    except Exception as error:
        for each in _chain(error):
            if isinstance(each, GanzooError):
                raise each from None
            if explanation := _explain(each, file, writing):
                # Not `from error`: its text may hold a signed address.
                kind = UnreachableError if _is_unreachable(each) else HubError
                raise kind(f"{name}: {explanation}") from None
        if isinstance(error, OSError | RuntimeError | ValueError):
            raise HubError(f"{name}: {_without_secrets(str(error))}") from None
        if isinstance(error, LookupError | TypeError | AttributeError):  # where it read the answer
            raise UnreachableError(f"{name}: {_say_strange()}") from error
        raise


def wait_asked(headers: Mapping[str, str]) -> float:
    """Seconds that the headers of an answer ask to wait before the next request, 0 for none."""
    asked = re.fullmatch(r"\s*(\d+)\s*", headers.get("retry-after", ""))
    used_up = re.search(r"\br=0;\s*t=(\d+)", headers.get("ratelimit", ""))
    match = asked or used_up
    return float(match[1]) if match else 0.0


def too_many_requests(headers: Mapping[str, str]) -> str:
    """Say that the Hub's limit of requests was reached."""
    wait = wait_asked(headers)
    when = f"in {wait:.0f} seconds" if wait else "in some minutes"
    login = "" if get_token() else f" Whoever is logged in may ask for more: {_LOGIN}."
    return f"too many requests to the Hub (429). Try again {when}.{login}"


def may_take_token(error: HfHubHTTPError | RateLimitError) -> bool:
    """Whether what was asked for without a token may be given to the user, who has one."""
    status = 429 if isinstance(error, RateLimitError) else error.response.status_code
    return status in _CLOSED and get_token() is not None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and its causes: a disabled repository shows only in one of them."""
    while error is not None:
        yield error
        error = error.__cause__


def _is_network(error: BaseException) -> bool:
    if type(error) is TimeoutError:  # `ganzoo.hub.client` asks first whether anything answers
        return True
    modules = {cls.__module__.partition(".")[0] for cls in type(error).__mro__}
    return bool(modules & _NETWORK)


def _asked_wait(error: BaseException) -> float:
    for each in _chain(error):
        if isinstance(each, HfHubHTTPError):
            return min(wait_asked(each.response.headers), PATIENCE)
    return 0.0


def _is_unreachable(error: BaseException) -> bool:
    if isinstance(error, HfHubHTTPError):
        return error.response.status_code in _TEMPORARY
    if isinstance(error, OfflineModeIsEnabled | FileMetadataError | JSONDecodeError):
        return True
    return _is_network(error)


def _explain(error: BaseException, file: str, writing: bool) -> str | None:
    """What is true and what to type next, None where the error itself says nothing."""
    # The order matters: a gated repository is one that is not found, and nearly all are HTTP
    # errors, which are network errors. What is missing in the cache alone says so in its cause.
    missing = f"{file} is not in the cache, {constants.HF_HUB_CACHE}" if file else ""
    if isinstance(error, OfflineModeIsEnabled):
        return (
            f"{missing}{', and ' if missing else ''}HF_HUB_OFFLINE forbids to ask the Hub. Unset "
            f"it{' once, or set HF_HOME to where a cache is' if missing else ''}."
        )
    if isinstance(error, FileMetadataError | JSONDecodeError):
        return _say_strange()
    if isinstance(error, GatedRepoError):
        return (
            "its owner grants access one by one. Ask for it on the repository's page, then "
            f"log in: {_LOGIN}."
        )
    if isinstance(error, DisabledRepoError):
        return "the repository has been disabled on the Hub; nobody can download it."
    if isinstance(error, RevisionNotFoundError):
        return "the repository has no such branch, tag or commit. Leave @... out for its main."
    if isinstance(error, RemoteEntryNotFoundError):
        return f"the repository holds no {file}, so it is no model of ganzoo's."
    if isinstance(error, RepositoryNotFoundError):
        if get_token():
            return "there is no such repository, or your token may not read it. Check its name."
        return f"there is no public repository of that name. A private one needs a login: {_LOGIN}."
    if isinstance(error, HfHubHTTPError):
        return _explain_status(error, writing)
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        folder, variable = constants.HF_HUB_CACHE, "HF_HOME"
        if writing:  # where what was written is compared
            folder, variable = tempfile.gettempdir(), "TMPDIR"
        return f"no space is left in {folder}. Free some, or set {variable} to another folder."
    if isinstance(error, PermissionError) or getattr(error, "errno", None) == errno.EROFS:
        return (
            f"the cache, {constants.HF_HUB_CACHE}, cannot be written. Set HF_HOME to a folder that "
            "can, or download where it can."
        )
    if type(error) is ConnectionError and not constants.HF_HUB_DISABLE_XET:
        return (
            f"the transfer by Xet failed: {_without_secrets(str(error))} A mirror or proxy may "
            "not know it; HF_HUB_DISABLE_XET=1 does without."
        )
    if _is_network(error):
        return (
            f"{missing}{', and ' if missing else ''}{constants.ENDPOINT} cannot be reached "
            f"({type(error).__name__}). Connect to the network and try again"
            f"{'; what was loaded once loads without' if missing else ''}."
        )
    return None


def _say_strange() -> str:
    return (
        f"{constants.ENDPOINT} answered, but not as the Hub does: a proxy, a login page of the "
        "network or a wrong HF_ENDPOINT. Open the address in a browser, or correct it."
    )


def _explain_status(error: HfHubHTTPError, writing: bool) -> str:
    status = error.response.status_code
    said = _without_secrets(error.server_message or "")
    said = f" ({status}: {said})" if said else f" ({status})"
    if status == 401:
        if get_token():
            return f"the Hub does not accept your token{said}. Get a new one: {_LOGIN}."
        return f"the Hub asks who you are{said}: {_LOGIN}."
    if status == 403:
        if not get_token():
            return f"the Hub does not let everybody read it{said}: {_LOGIN}."
        may = "may not write there. Create one that may" if writing else "may not read it"
        return f"your token {may}{said}: {_LOGIN}."
    if status == 404:
        return f"the Hub knows no such user, organisation or repository{said}. Check its name."
    if status in _RACES:
        return f"others commit to the repository at the same time{said}. Push again."
    if status in _QUOTA:
        return f"the Hub takes no more of your files{said}. Free space there, or raise your quota."
    if status == 429:
        return too_many_requests(error.response.headers)
    if status >= 500:
        return f"the Hub has a problem of its own{said}. Try again later."
    return f"the Hub refuses{said}."


def _without_secrets(text: str) -> str:
    """The beginning of a text of the client's or the server's.

    Addresses in it may be signed; a header that cannot be sent is cited with the token in it.
    """
    text = "".join(c if c.isprintable() else " " for c in text)
    text = re.sub(r"\S+://\S+", "...", " ".join(text.split()))
    return re.sub(r"Bearer .*|hf_\w+", "...", text)[:300]
