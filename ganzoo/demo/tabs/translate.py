"""Lines that are drawn, and the picture that a translator makes of them."""

from __future__ import annotations

from typing import Any

import gradio as gr
from PIL import Image

from ganzoo.demo import drawing, sampling
from ganzoo.demo.model_cache import ModelCache
from ganzoo.demo.render import enlarge
from ganzoo.demo.tabs.controls import live, model_menu, picture, seed_box
from ganzoo.demo.tabs.pad import pad


def translate(cache: ModelCache, page: gr.Blocks) -> None:
    """Lay the tab out."""
    with gr.Row():
        with gr.Column(min_width=280):
            gr.Markdown("**Draw lines**, or upload what the model was trained to translate.")
            sheet = pad("draw lines here", ink="#000", paper="#fff", width=8)
            model = model_menu(cache.translators)
            noisy = any("z" in cache.spec(name).inputs for name in cache.translators)
            seed = seed_box("seed of the noise", 0, visible=noisy)
        with gr.Column(min_width=320):
            read = picture("what it reads", height=240)
            made = picture("what it makes")

    def draw(url: Any, name: str, seed: Any) -> tuple[Image.Image | None, Image.Image | None]:
        if not url:
            return None, None
        model = cache.translator(name)
        condition = drawing.as_input(drawing.read_drawing(url), model.condition)
        translated = model.translate(condition, sampling.check_seed(seed))
        return enlarge(condition.pil()[0], 256), enlarge(translated.pil()[0], 512)

    live(page, [sheet.drawn, model, seed], draw, [read, made])
