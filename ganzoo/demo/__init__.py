"""Serve an interactive page of models in the browser: ``from ganzoo.demo import launch``.

Only `ganzoo.demo.page` and `ganzoo.demo.tabs` import gradio.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from ganzoo.demo.address import find_address


def launch(
    names: Sequence[str] = (),
    *,
    host: str | None = None,
    port: int | None = None,
    share: bool = False,
    runtime: Literal["onnx", "torch"] = "onnx",
    directions: Sequence[str | Path] = (),
) -> None:
    """Serve the page until the process is stopped.

    Args:
        names: names of models, as in `ganzoo.load`; by default all models that ship with ganzoo
            and with its installed plugins, those in colour first.
        host: the address to listen on; by default the environment's GRADIO_SERVER_NAME, which a
            Space of the Hub sets, or 127.0.0.1, which only this machine can reach.
        port: the port; by default the environment's GRADIO_SERVER_PORT, or 7860.
        share: whether to also serve the page at a public address of gradio for a week.
        runtime: ``onnx``, which needs no torch, or ``torch``; models without ONNX files need torch.
        directions: files of `ganzoo directions`; the page computes directions of other models.

    Raises:
        ModuleNotFoundError: gradio is not installed.
        DemoError: the port is in use or out of range, or this machine does not have the address.
        UnknownNameError, NotABundleError, BundleError, HubError, NameSyntaxError: a model cannot
            be loaded.
        SampleError: a file of directions cannot be read, or fits no model of the page.
    """
    if find_spec("gradio") is None:
        raise ModuleNotFoundError("No module named 'gradio'", name="gradio")
    address = find_address(host, port)

    from ganzoo.demo.model_cache import ModelCache

    cache = ModelCache.of(names, runtime, directions)

    from ganzoo.bundle.files import temporary_folder
    from ganzoo.system.dependencies import environment, quiet_imports

    with (
        temporary_folder("ganzoo-demo-") as folder,
        # For images and uploads. gradio reads the variable at its import, and its default is one
        # folder for all users of a machine.
        environment(GRADIO_TEMP_DIR=os.environ.get("GRADIO_TEMP_DIR", str(folder))),
    ):
        with quiet_imports():
            from ganzoo.demo.serving import serve  # gradio takes seconds to import

        serve(cache, *address, share=share)
