"""Samples of two models from the same seed."""

from __future__ import annotations

from typing import Any

import gradio as gr
from PIL import Image

from ganzoo.demo import sampling
from ganzoo.demo.model_cache import ModelCache
from ganzoo.demo.render import enlarge_grid
from ganzoo.demo.tabs.controls import class_menu, image_view, live, model_menu, seed_box
from ganzoo.sampling.images import ImageBatch


def compare(cache: ModelCache, page: gr.Blocks) -> None:
    """Build the tab."""
    names = cache.generators
    with gr.Row():
        seed = seed_box("seed of both models", 0)
        count = gr.Slider(1, sampling.MAX_IMAGES, 36, step=1, label="images of each model")
    menus, views = [], []
    with gr.Row():
        for value in cache.unconditional_first[:2]:
            with gr.Column(min_width=300):
                model = model_menu(names, value=value)
                menus += [model, class_menu(cache, model, all_classes=True)]
                views.append(image_view("samples, uncurated"))

    def draw(seed: Any, count: Any, *values: Any) -> list[Image.Image]:
        return [
            # The new batch has no columns, so that both grids have the same layout.
            enlarge_grid(
                ImageBatch(sampling.samples(cache.generator(name), seed, count, label).numpy())
            )
            for name, label in zip(values[::2], values[1::2], strict=True)
        ]

    live(page, [seed, count, *menus], draw, views)
