"""Two models on the same seed."""

from __future__ import annotations

from typing import Any

import gradio as gr
from PIL import Image

from ganzoo.demo import sampling
from ganzoo.demo.model_cache import ModelCache
from ganzoo.demo.render import enlarged
from ganzoo.demo.tabs.controls import class_menu, live, model_menu, picture, seed_box
from ganzoo.sampling.images import ImageBatch


def compare(cache: ModelCache, page: gr.Blocks) -> None:
    """Lay the tab out."""
    names = cache.generators
    with gr.Row():
        seed = seed_box("seed of both", 0)
        count = gr.Slider(1, sampling.MAX_IMAGES, 36, step=1, label="images of each")
    chosen, shown = [], []
    with gr.Row():
        for value in cache.free[:2]:
            with gr.Column(min_width=300):
                model = model_menu(names, value=value)
                chosen += [model, class_menu(cache, model, each=True)]
                shown.append(picture("samples, uncurated"))

    def draw(seed: Any, count: Any, *chosen: Any) -> list[Image.Image]:
        return [
            # Laid out alike, whether or not a model has classes.
            enlarged(
                ImageBatch(sampling.samples(cache.generator(name), seed, count, label).numpy())
            )
            for name, label in zip(chosen[::2], chosen[1::2], strict=True)
        ]

    live(page, [seed, count, *chosen], draw, shown)
