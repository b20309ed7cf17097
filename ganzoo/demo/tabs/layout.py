"""The layout that tabs share: controls on the left, what they draw on the right.

Use both below one ``gradio.Row``; on a narrow screen the second follows the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import gradio as gr

CONTROLS, DRAWINGS = 260, 320  # least widths in pixels


@contextmanager
def control_column(text: str) -> Iterator[None]:
    """Open the column of controls, below a text in Markdown."""
    with gr.Column(scale=1, min_width=CONTROLS):
        gr.Markdown(text)
        yield


@contextmanager
def drawing_column() -> Iterator[None]:
    """Open the column of drawings, which is twice as wide."""
    with gr.Column(scale=2, min_width=DRAWINGS):
        yield
