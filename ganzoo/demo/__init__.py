"""A page to play with models in the browser: ``from ganzoo.demo import launch``.

What it computes needs no gradio; what it shows is in `ganzoo.demo.tabs`.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Literal

from ganzoo.demo.address import find_address


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
    if find_spec("gradio") is None:
        raise ModuleNotFoundError("No module named 'gradio'", name="gradio")
    where = find_address(host, port)

    from ganzoo.demo.model_cache import ModelCache

    cache = ModelCache.of(names, runtime)

    from ganzoo.demo.serving import serve  # gradio takes seconds to import

    serve(cache, *where, share=share)
