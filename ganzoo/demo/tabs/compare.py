"""Samples of two models from the same seed."""

from __future__ import annotations

from typing import Any

import gradio as gr

from ganzoo.demo import sampling
from ganzoo.demo.model_cache import ModelCache
from ganzoo.demo.render import enlarge_grid
from ganzoo.demo.tabs.controls import ModelMenu, class_menu, image_view, live, seed_box, view
from ganzoo.sampling.images import ImageBatch


def compare(cache: ModelCache, opening: Any) -> None:
    """Build the tab."""
    names = cache.generators
    with gr.Row():
        seed = seed_box("seed of both models", 0)
        limits = sampling.describe_limits({name: cache.spec(name) for name in names})
        count = gr.Slider(
            1, sampling.MAX_IMAGES, 36, step=1, label="images of each model", info=limits
        )
    menus, views = [], []
    with gr.Row():
        for value in cache.unconditional_first[:2]:
            with gr.Column(min_width=300):
                model = ModelMenu(names, value=value)
                menus += [model, class_menu(cache, model, all_classes=True)]
                views.append(image_view("samples, uncurated"))

    def draw(seed: Any, count: Any, *values: Any) -> list[Any]:
        return [
            view(
                # The new batch has no columns, so that both grids have the same layout.
                enlarge_grid(
                    ImageBatch(sampling.samples(cache.generator(name), seed, count, label).numpy())
                ),
                cache.spec(name),
            )
            for name, label in zip(values[::2], values[1::2], strict=True)
        ]

    live(opening, [seed, count, *menus], draw, views)
