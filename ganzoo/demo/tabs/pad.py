"""A canvas to draw on, with buttons to clear it and to upload an image."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from ganzoo.demo.drawing import canvas_size, move_upload
from ganzoo.demo.tabs.controls import EVENT, show_errors
from ganzoo.spec import ImageSpec

SIDE = 280  # pixels of the canvas's longer side

_SCRIPT = (Path(__file__).parent.parent / "pad.js").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Pad:
    """A canvas and its buttons.

    Attributes:
        canvas: its value is the drawing's URL for `drawing.read_drawing`, or empty.
        clear: the button that clears it.
        upload: the button that puts an uploaded image on it.
    """

    canvas: gr.HTML
    clear: gr.Button
    upload: gr.UploadButton


def pad(hint: str, size: ImageSpec, *, ink: str, paper: str, width: int) -> Pad:
    """Build a canvas with buttons to clear it and to upload an image.

    Args:
        hint: what to draw, for screen readers.
        size: size of the images that the network reads; the canvas has their shape.
        ink, paper: CSS colours of the pen and of the background.
        width: the pen's width in pixels, for a canvas of 280 pixels.
    """
    across, down = canvas_size(size, SIDE)
    canvas = gr.HTML(
        "",
        html_template=f'<canvas width="{across}" height="{down}" aria-label="${{hint}}"></canvas>',
        css_template=f"canvas {{ width: 100%; max-width: 360px; aspect-ratio: {across} / {down}; "
        "cursor: crosshair; touch-action: none; border-radius: 8px; border: 1px solid #8888; }",
        js_on_load=_SCRIPT,
        apply_default_css=False,
        hint=hint,
        ink=ink,
        paper=paper,
        width=width,
    )
    with gr.Row():
        clear = gr.Button("Clear", size="sm", min_width=80)
        upload = gr.UploadButton(
            "Upload an image", size="sm", min_width=120, file_types=["image"], type="filepath"
        )
    clear.click(lambda: "", None, canvas, queue=False, **EVENT)

    def read(file: Any) -> str:
        return move_upload(file, across, down)

    upload.upload(show_errors(read), upload, canvas, **EVENT)
    return Pad(canvas, clear, upload)
