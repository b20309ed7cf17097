"""Pictures of any size, enlarged or restored."""

from __future__ import annotations

from typing import Any

import gradio as gr

from ganzoo.demo.model_cache import ModelCache
from ganzoo.demo.tabs.controls import ModelMenu, run_on_click
from ganzoo.demo.tabs.layout import control_column, drawing_column
from ganzoo.demo.upscaling import upscale as enlarge

PLACEHOLDER = "The picture before and after appears here."


def upscale(cache: ModelCache, opening: Any) -> None:
    """Build the tab."""
    with gr.Row():
        with control_column(
            "The model enlarges or restores a **picture of any size**, tile by tile. The download "
            "button of the result saves it as PNG."
        ):
            picture = gr.File(label="picture", file_types=["image"], type="filepath", height=140)
            model = ModelMenu(cache.upscalers)
            button = gr.Button("Upscale", variant="primary")
        with drawing_column():
            text = gr.Markdown(PLACEHOLDER, elem_classes="caption")
            slider = gr.ImageSlider(
                show_label=False,
                format="png",
                image_mode=None,
                interactive=False,
                max_height=720,
                buttons=["download", "fullscreen"],
            )

    def draw(
        file: Any,
        name: str,
        progress: Any = gr.Progress(),  # noqa: B008 - gradio replaces it
    ) -> tuple[str, Any]:
        result = enlarge(cache.translator(name), file, progress)
        return result.text, (result.before, result.after)

    run_on_click(button, [picture, model], draw, [text, slider], concurrency_limit=1)
