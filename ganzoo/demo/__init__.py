"""A page to play with models in the browser: ``from ganzoo.demo import launch``.

What it computes needs no gradio; what it shows is in `ganzoo.demo.tabs`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

HOST = "127.0.0.1"
PORT = 7860


def launch(
    names: Sequence[str] = (),
    *,
    host: str | None = None,
    port: int | None = None,
    share: bool = False,
    runtime: Literal["onnx", "torch"] = "onnx",
) -> None:
    """Serve the page until the process is stopped.

    Args:
        names: models, as `ganzoo.load` takes them; by default all that ship with ganzoo.
        host: the address to listen at; by default the environment's GRADIO_SERVER_NAME, as a Space
            of the Hub sets it, or 127.0.0.1, which this machine alone can reach.
        port: by default the environment's GRADIO_SERVER_PORT, or 7860.
        share: also at a public address for a week, through gradio's servers.
        runtime: ``onnx``, which needs no torch, or ``torch``.

    Raises:
        ModuleNotFoundError: gradio is not installed.
        DemoError: the port is in use or out of range, or the host is not this machine's.
        UnknownNameError, NotABundleError, BundleError, HubError, NameSyntaxError: a model that
            cannot be loaded.
    """
    from ganzoo.demo.serving import serve  # gradio takes seconds to import

    serve(names, host, port, share, runtime)
