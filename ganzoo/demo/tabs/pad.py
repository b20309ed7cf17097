"""A sheet to draw on, with what belongs to it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from ganzoo.demo.drawing import open_upload, write_drawing
from ganzoo.demo.tabs.controls import EVENT, answered
from ganzoo.sampling.image_files import fit_image

SIDE = 280  # pixels of the sheet

_SCRIPT = (Path(__file__).parent.parent / "pad.js").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Pad:
    """A sheet whose value is what is on it, as `drawing.read_drawing` reads it, or empty."""

    drawn: gr.HTML
    clear: gr.Button
    upload: gr.UploadButton


def pad(hint: str, *, ink: str, paper: str, width: int) -> Pad:
    """Lay out a sheet with buttons to clear it and to put an uploaded picture on it.

    Args:
        hint: what to draw, for those who do not see it.
        ink, paper: colours.
        width: of the pen, in pixels of 280.
    """
    sheet = gr.HTML(
        "",
        html_template=f'<canvas width="{SIDE}" height="{SIDE}" aria-label="${{hint}}"></canvas>',
        css_template="canvas { width: 100%; max-width: 360px; aspect-ratio: 1; cursor: crosshair; "
        "touch-action: none; border-radius: 8px; border: 1px solid #8888; }",
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
            "Upload a picture", size="sm", min_width=120, file_types=["image"], type="filepath"
        )
    clear.click(lambda: "", None, sheet, queue=False, **EVENT)
    upload.upload(answered(_lay_down), upload, sheet, **EVENT)
    return Pad(sheet, clear, upload)


def _lay_down(file: Any) -> str:
    return write_drawing(fit_image(open_upload(file), SIDE, SIDE))
