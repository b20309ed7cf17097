"""The page on a port, until the process is stopped."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Sequence

from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ganzoo.demo import HOST, PORT, page
from ganzoo.demo.drawing import MAX_BYTES
from ganzoo.demo.shelf import RuntimeName, Shelf
from ganzoo.errors import DemoError

# A browser asks nobody but this server, whatever stands in the card of a model of somebody's.
# Gradio's own scripts need the exceptions.
POLICY = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; object-src 'none'; "
    "base-uri 'self'"
)


def serve(
    names: Sequence[str], host: str | None, port: int | None, share: bool, runtime: RuntimeName
) -> None:
    """Serve the page; see `ganzoo.demo.launch`."""
    where = host or os.environ.get("GRADIO_SERVER_NAME", HOST)
    number = int(os.environ.get("GRADIO_SERVER_PORT", PORT)) if port is None else port
    check_port(where, number)
    shelf = Shelf.of(names, runtime)
    built = page.build(shelf)
    _ask_oneself_directly()
    built.launch(
        server_name=where,
        server_port=number,
        share=share,
        quiet=True,
        prevent_thread_lock=True,
        theme=page.THEME,
        css=page.STYLE,
        footer_links=[],
        max_file_size=MAX_BYTES,
        enable_monitoring=False,
        ssr_mode=False,
        run_history=False,
        app_kwargs={"middleware": [Middleware(_Policy)]},
    )
    count = "1 model" if len(shelf.names) == 1 else f"{len(shelf.names)} models"
    public = f" and {built.share_url}" if share else ""
    print(f"{count} at {built.local_url}{public} - Ctrl-C stops it", flush=True)
    try:
        threading.Event().wait()
    finally:
        built.close(verbose=False)


def check_port(host: str, port: int) -> None:
    """Refuse an address that nothing can be served at, before any model is loaded.

    Raises:
        DemoError: the port is in use, not allowed or no port, or the host is not this machine's.
    """
    if not 1 <= port <= 65535:
        raise DemoError(f"{port} is no port: type --port with a number from 1 to 65535.")
    try:
        (family, *_, address), *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except PermissionError as error:
        raise DemoError(
            f"port {port} is only for the system's administrator: type --port 7860, for example."
        ) from error
    except socket.gaierror as error:
        raise DemoError(
            f"there is no host {host!r}: type --host 127.0.0.1, or 0.0.0.0 for every network that "
            "this machine is in."
        ) from error
    except OSError as error:
        raise DemoError(
            f"port {port} of {host} cannot be used ({error.strerror}). Type another, such as "
            f"--port {port + 1 if port < 65535 else PORT}."
        ) from error


def _ask_oneself_directly() -> None:
    """Gradio asks its own server whether it is there; a proxy does not know."""
    known = os.environ.get("no_proxy", os.environ.get("NO_PROXY", ""))
    os.environ["no_proxy"] = ",".join(filter(None, [known, "localhost", "127.0.0.1"]))


class _Policy:
    """Sends the policy with every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                header = (b"content-security-policy", POLICY.encode())
                message["headers"] = [*message["headers"], header]
            await send(message)

        await self.app(scope, receive, send_with_policy)
