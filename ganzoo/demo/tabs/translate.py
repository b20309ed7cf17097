"""Translation of a drawing by a translator."""

from __future__ import annotations

from typing import Any

import gradio as gr
from PIL import Image

from ganzoo.demo import drawing, sampling
from ganzoo.demo.model_cache import ModelCache
from ganzoo.demo.render import enlarge
from ganzoo.demo.tabs.controls import image_view, live, model_menu, seed_box
from ganzoo.demo.tabs.pad import pad


def translate(cache: ModelCache, page: gr.Blocks) -> None:
    """Build the tab."""
    with gr.Row():
        with gr.Column(min_width=280):
            gr.Markdown("**Draw lines**, or upload an image like the model's training inputs.")
            drawing_pad = pad("draw lines here", ink="#000", paper="#fff", width=8)
            model = model_menu(cache.translators)
            noisy = any("z" in cache.spec(name).inputs for name in cache.translators)
            seed = seed_box("seed of the noise", 0, visible=noisy)
        with gr.Column(min_width=320):
            input_view = image_view("input", height=240)
            output_view = image_view("output")

    def draw(url: Any, name: str, seed: Any) -> tuple[Image.Image | None, Image.Image | None]:
        if not url:
            return None, None
        model = cache.translator(name)
        condition = drawing.as_input(drawing.read_drawing(url), model.condition)
        translated = model.translate(condition, sampling.check_seed(seed))
        return enlarge(condition.pil()[0], 256), enlarge(translated.pil()[0], 512)

    live(page, [drawing_pad.canvas, model, seed], draw, [input_view, output_view])
