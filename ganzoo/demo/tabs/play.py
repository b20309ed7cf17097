"""A walk through the images of seeds, as an animation."""

from __future__ import annotations

from typing import Any

import gradio as gr

from ganzoo.demo.animation import SECONDS, animate
from ganzoo.demo.model_cache import ModelCache
from ganzoo.demo.render import animation
from ganzoo.demo.tabs.controls import (
    ModelMenu,
    class_menu,
    run_on_click,
    truncation_slider,
)
from ganzoo.demo.tabs.layout import control_column, drawing_column
from ganzoo.sampling.walks import EASINGS

PLACEHOLDER = '<p class="caption">The animation appears here. Press <b>Play</b>.</p>'


def play(cache: ModelCache, opening: Any) -> None:
    """Build the tab."""
    with gr.Row():
        with control_column(
            "A walk goes from the image of each seed to that of the next, and back."
        ):
            model = ModelMenu(cache.unconditional_first)
            label = class_menu(cache, model)
            seeds = gr.Textbox(
                "3,9,12", label="seeds", info="numbers and ranges, such as 3,9 or 0-4"
            )
            seconds = gr.Slider(*SECONDS, 4, step=0.5, label="seconds")
            easing = gr.Radio(list(EASINGS), value=next(iter(EASINGS)), label="speed between seeds")
            psi = truncation_slider(cache, model)
            button = gr.Button("Play", variant="primary")
        with drawing_column():
            output = gr.HTML(PLACEHOLDER, apply_default_css=False)

    def draw(
        name: str,
        label: str | None,
        seeds: str,
        seconds: Any,
        easing: Any,
        psi: Any,
        progress: Any = gr.Progress(),  # noqa: B008 - gradio replaces it
    ) -> str:
        model = cache.generator(name)
        content = animate(model, seeds, seconds, easing, psi, label, progress)
        return animation(content, f"{name}, seeds {seeds}", f"{model.spec.name}.webp")

    run_on_click(button, [model, label, seeds, seconds, easing, psi], draw, output)
