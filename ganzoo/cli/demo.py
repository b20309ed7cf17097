"""Serve the page to play with."""

from __future__ import annotations

from typing import Literal

import tyro

from ganzoo.demo.address import HOST, PORT


def demo(
    names: tyro.conf.Positional[tuple[str, ...]] = (),
    /,
    port: int = PORT,
    host: str = HOST,
    share: Literal["on", "off"] = "off",
    runtime: Literal["onnx", "torch"] = "onnx",
) -> None:
    """Open a page to play with models in the browser: seeds, classes, ways between, drawings.

    Args:
        names: models' names, ./folder or hf://org/repo; by default all that ship with ganzoo.
        port: where it listens.
        host: the address it listens at; 0.0.0.0 lets other machines in.
        share: also at a public address for a week, through gradio's servers.
        runtime: onnx, or torch.
    """
    from ganzoo.demo import launch

    launch(names, host=host, port=port, share=share == "on", runtime=runtime)
