"""Images of a seed."""

from __future__ import annotations

from typing import Any

import gradio as gr
from PIL import Image

from ganzoo.demo import sampling
from ganzoo.demo.model_cache import ModelCache
from ganzoo.demo.render import enlarged
from ganzoo.demo.tabs.controls import class_menu, live, model_menu, picture, seed_box


def samples(cache: ModelCache, page: gr.Blocks) -> None:
    """Lay the tab out."""
    with gr.Row():
        with gr.Column(scale=1, min_width=260):
            gr.Markdown("Image *k* of a seed is always the same one, however many you ask for.")
            model = model_menu(cache.generators)
            label = class_menu(cache, model, each=True)
            seed = seed_box("seed", 0)
            count = gr.Slider(1, sampling.MAX_IMAGES, sampling.IMAGES, step=1, label="images")
        with gr.Column(scale=2, min_width=320):
            shown = picture("samples, uncurated")

    def draw(name: str, label: str | None, seed: Any, count: Any) -> Image.Image:
        return enlarged(sampling.samples(cache.generator(name), seed, count, label))

    live(page, [model, label, seed, count], draw, shown)
