"""Serve the interactive demo."""

from __future__ import annotations

from pathlib import Path
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
    directions: tuple[Path, ...] = (),
) -> None:
    """Open a demo page in the browser: sample, interpolate, mix, edit, invert and translate.

    Args:
        names: names of models, ./folder or hf://org/repo; by default all models of
            ganzoo and its plugins.
        port: port of the server.
        host: address of the server; 0.0.0.0 accepts connections from other machines.
        share: also create a public link through gradio's servers, valid for a week.
        runtime: onnx or torch.
        directions: files of 'ganzoo directions' for models of the page; directions of other models
            are computed.
    """
    from ganzoo.demo import launch

    launch(names, host=host, port=port, share=share == "on", runtime=runtime, directions=directions)
