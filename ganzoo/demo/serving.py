"""The page on a port, until the process is stopped."""

from __future__ import annotations

import os
import tempfile
import threading

from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ganzoo.demo import page
from ganzoo.demo.drawing import MAX_BYTES
from ganzoo.demo.model_cache import ModelCache

# What stands in a stranger's card fetches nothing from elsewhere and sends no form there; a link
# that a visitor follows still leads anywhere. Gradio's own scripts need the exceptions.
POLICY = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; object-src 'none'; "
    "base-uri 'self'; form-action 'self'"
)


def serve(cache: ModelCache, host: str, port: int, *, share: bool) -> None:
    """Serve a page of these models; see `ganzoo.demo.launch`."""
    with tempfile.TemporaryDirectory(prefix="ganzoo-demo-") as folder:
        # Pictures and uploads; gradio's own default is one folder for all users of a machine.
        os.environ.setdefault("GRADIO_TEMP_DIR", folder)
        _ask_oneself_directly()
        built = page.build(cache)
        built.launch(
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
        count = "1 model" if len(cache.names) == 1 else f"{len(cache.names)} models"
        public = f" and {built.share_url}" if share else ""
        print(f"{count} at {built.local_url}{public} - Ctrl-C stops it", flush=True)
        try:
            threading.Event().wait()
        finally:
            built.close(verbose=False)


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
