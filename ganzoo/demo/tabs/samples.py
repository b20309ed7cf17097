"""Samples of one model from a seed."""

from __future__ import annotations

from typing import Any

import gradio as gr
from PIL import Image

from ganzoo.demo import sampling
from ganzoo.demo.model_cache import ModelCache
from ganzoo.demo.render import enlarge_grid
from ganzoo.demo.tabs.controls import class_menu, image_view, live, model_menu, seed_box


def samples(cache: ModelCache, page: gr.Blocks) -> None:
    """Build the tab."""
    with gr.Row():
        with gr.Column(scale=1, min_width=260):
            gr.Markdown("Image *k* of a seed does not depend on the number of images.")
            model = model_menu(cache.generators)
            label = class_menu(cache, model, all_classes=True)
            seed = seed_box("seed", 0)
            count = gr.Slider(1, sampling.MAX_IMAGES, sampling.IMAGES, step=1, label="images")
        with gr.Column(scale=2, min_width=320):
            view = image_view("samples, uncurated")

    def draw(name: str, label: str | None, seed: Any, count: Any) -> Image.Image:
        return enlarge_grid(sampling.samples(cache.generator(name), seed, count, label))

    live(page, [model, label, seed, count], draw, view)
