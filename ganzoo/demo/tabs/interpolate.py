"""The way from one seed to another."""

from __future__ import annotations

from typing import Any

import gradio as gr
from PIL import Image

from ganzoo.demo import sampling
from ganzoo.demo.model_cache import ModelCache
from ganzoo.demo.render import enlarge, enlarged
from ganzoo.demo.tabs.controls import class_menu, live, model_menu, picture, seed_box
from ganzoo.sampling.generator import PathKind


def interpolate(cache: ModelCache, page: gr.Blocks) -> None:
    """Lay the tab out."""
    with gr.Row():
        with gr.Column(scale=1, min_width=260):
            gr.Markdown(
                "Between two latents lie others. The arc keeps their length, the straight line "
                "cuts through the middle, where a model has seen less."
            )
            model = model_menu(cache.free)
            label = class_menu(cache, model)
            with gr.Row():
                a, b = seed_box("from seed", 3), seed_box("to seed", 9)
            path = gr.Radio(["spherical", "linear"], value="spherical", label="path")
            steps = gr.Slider(2, sampling.MAX_STEPS, 16, step=1, label="steps")
        with gr.Column(scale=2, min_width=320):
            at = gr.Slider(0, 1, 0.5, step=0.01, label="place on the way")
            one = picture("the image there", height=300)
            all_ = picture("the whole way")

    def draw(
        name: str, label: str | None, a: Any, b: Any, path: PathKind, steps: Any, at: Any
    ) -> tuple[Image.Image, Image.Image]:
        model = cache.generator(name)
        images = sampling.way(model, a, b, steps, path, label)
        (image,) = sampling.on_the_way(model, a, b, at, path, label)
        return enlarge(image, 280), enlarged(images, columns=min(8, len(images)))

    live(page, [model, label, a, b, path, steps, at], draw, [one, all_])
