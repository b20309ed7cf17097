"""Interpolation between two seeds."""

from __future__ import annotations

from typing import Any

import gradio as gr
from PIL import Image

from ganzoo.demo import sampling
from ganzoo.demo.model_cache import ModelCache
from ganzoo.demo.render import enlarge, enlarge_grid
from ganzoo.demo.tabs.controls import class_menu, image_view, live, model_menu, seed_box
from ganzoo.sampling.generator import PathKind


def interpolate(cache: ModelCache, page: gr.Blocks) -> None:
    """Build the tab."""
    with gr.Row():
        with gr.Column(scale=1, min_width=260):
            gr.Markdown(
                "An interpolation generates images between two latents. The spherical path keeps "
                "the length of the latents. The linear path passes closer to the origin, where "
                "training draws few latents."
            )
            model = model_menu(cache.unconditional_first)
            label = class_menu(cache, model)
            with gr.Row():
                a, b = seed_box("from seed", 3), seed_box("to seed", 9)
            path = gr.Radio(["spherical", "linear"], value="spherical", label="path")
            steps = gr.Slider(2, sampling.MAX_STEPS, 16, step=1, label="steps")
        with gr.Column(scale=2, min_width=320):
            position = gr.Slider(0, 1, 0.5, step=0.01, label="position")
            image_at_position = image_view("image at the position", height=300)
            all_steps = image_view("all steps")

    def draw(
        name: str, label: str | None, a: Any, b: Any, path: PathKind, steps: Any, position: Any
    ) -> tuple[Image.Image, Image.Image]:
        model = cache.generator(name)
        images = sampling.interpolate(model, a, b, steps, path, label)
        (image,) = sampling.interpolate_at(model, a, b, position, path, label)
        return enlarge(image, 280), enlarge_grid(images, columns=min(8, len(images)))

    controls = [model, label, a, b, path, steps, position]
    live(page, controls, draw, [image_at_position, all_steps])
