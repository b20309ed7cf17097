"""Watch a session of the Hub's client: bound its time, and leave all retries to ganzoo.

The client repeats requests in several layers, whose waits multiply. Here every temporary failure
ends a request at once; `ganzoo.hub.failures.retry` repeats it within the operation's `Budget`.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator
from typing import Any

from huggingface_hub.utils._http import hf_raise_for_status

from ganzoo.hub.budget import Budget
from ganzoo.hub.failures import TEMPORARY, is_network


class InterruptedRequest(Exception):
    """A request that the network failed; its cause is the error of the network.

    The client repeats requests after the errors of the network that it knows.
    """


def fail_at_once(session: Any, is_own: Callable[[], bool]) -> Callable[[], None]:
    """Let a session raise `InterruptedRequest`; return a function that undoes it.

    Args:
        session: the session.
        is_own: whether the current thread's requests belong to the operation.
    """
    send, own = session.send, vars(session).get("send")

    def send_once(request: Any, **options: Any) -> Any:
        try:
            return send(request, **options)
        except Exception as error:
            if is_own() and is_network(error):
                raise InterruptedRequest(str(error)) from error
            raise

    session.send = send_once

    def restore() -> None:
        if own is None:
            del session.send  # the class's again
        else:
            session.send = own

    return restore


def watch_request(request: Any, budget: Budget) -> None:
    """Count the bytes that a request sends.

    Raises:
        TimeoutError: no time is left.
    """
    if not budget.left:
        raise TimeoutError
    if request.method in ("POST", "PUT"):
        request.stream = _counted(request.stream, request, budget, 0)


def watch_response(response: Any, budget: Budget) -> None:
    """Count the bytes of a response, and raise if it is a temporary failure.

    Raises:
        HfHubHTTPError: the response is a temporary failure.
    """
    if response.status_code in TEMPORARY:
        response.read()
        hf_raise_for_status(response)
    if response.request.method != "GET":  # a GET may break off at its first byte, each time
        budget.progress()
    start = re.match(r"bytes=(\d+)-", response.request.headers.get("range", ""))
    position = int(start[1]) if start and response.status_code == 206 else 0
    response.stream = _counted(response.stream, response.request, budget, position)


def _counted(stream: Any, request: Any, budget: Budget, position: int) -> Any:
    """Return a stream of the same bytes that reports them to the budget."""
    # Version 1 of the client uses httpx, version 2 httpx2.
    library = importlib.import_module(type(request).__module__.partition(".")[0])
    transfer = f"{request.method} {request.url.path}"

    class Counted(library.SyncByteStream):  # type: ignore[misc, name-defined]
        def __iter__(self) -> Iterator[bytes]:
            reached = position
            for chunk in stream:
                reached += len(chunk)
                budget.reach(transfer, reached)
                yield chunk

        def close(self) -> None:
            if hasattr(stream, "close"):
                stream.close()

    return Counted()
