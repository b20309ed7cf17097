"""Serve the page until the process is stopped."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ganzoo.demo import page
from ganzoo.demo.drawing import MAX_BYTES
from ganzoo.demo.model_cache import ModelCache
from ganzoo.errors import quantity
from ganzoo.system.dependencies import environment, kept_random_numbers
from ganzoo.system.terminal import print_out

# A model's card cannot load resources from other hosts or send forms to them. Links still work.
# Gradio's own scripts need the exceptions.
POLICY = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; object-src 'none'; "
    "base-uri 'self'; form-action 'self'"
)


def serve(cache: ModelCache, host: str, port: int, *, share: bool) -> None:
    """Serve a page of these models; see `ganzoo.demo.launch`."""
    with environment(no_proxy=_bypass_proxy(), HF_HUB_DISABLE_TELEMETRY="1"):
        with kept_random_numbers():
            blocks = page.build(cache)
            blocks.launch(
                server_name=host,
                server_port=port,
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
        count = quantity(len(cache.names), "model")
        public = f" and {blocks.share_url}" if share else ""
        print_out(f"{count} at {blocks.local_url}{public} (press Ctrl-C to stop)", flush=True)
        try:
            with _ending_on_sigterm():
                threading.Event().wait()
        finally:
            blocks.close(verbose=False)


@contextlib.contextmanager
def _ending_on_sigterm() -> Iterator[None]:
    """Exit on SIGTERM, which containers send, so that uploads and images are deleted."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, _: Any) -> None:
        raise SystemExit(128 + number)

    previous = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def _bypass_proxy() -> str:
    """Return the hosts without a proxy, with this machine: gradio asks its own server."""
    hosts = os.environ.get("no_proxy", os.environ.get("NO_PROXY", ""))
    return ",".join(filter(None, [hosts, "localhost", "127.0.0.1"]))


class _Policy:
    """Middleware that adds the policy to every response."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                header = (b"content-security-policy", POLICY.encode())
                message["headers"] = [*message["headers"], header]
            await send(message)

        await self.app(scope, receive, send_with_policy)
