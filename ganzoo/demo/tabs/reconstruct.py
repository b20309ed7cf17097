"""A digit that is drawn or uploaded, and what autoencoders make of it."""

from __future__ import annotations

from typing import Any

import gradio as gr
from PIL import Image

from ganzoo.demo import drawing, sampling
from ganzoo.demo.model_cache import ModelCache
from ganzoo.demo.render import enlarge, figures
from ganzoo.demo.tabs.controls import live
from ganzoo.demo.tabs.pad import pad

SIDE = 336  # pixels of each picture
WAITING = '<p class="caption">What each model makes of it comes here.</p>'


def reconstruct(cache: ModelCache, page: gr.Blocks) -> None:
    """Lay the tab out."""
    able = list(cache.autoencoders)
    with gr.Row():
        with gr.Column(scale=1, min_width=280):
            gr.Markdown(
                "An encoder turns an image into a few numbers, and a generator makes an image of "
                "them again. **Draw a digit**, and see what is left of it."
            )
            sheet = pad("draw a digit here", ink="#fff", paper="#000", width=24)
            centred = gr.Checkbox(True, label="scale and centre it, as the training data is")
            chosen = gr.CheckboxGroup(able, value=able, label="models")
        with gr.Column(scale=2, min_width=320):
            shown = gr.HTML(WAITING, apply_default_css=False)

    def draw(url: Any, centred: bool, chosen: list[str]) -> str:
        if not url:
            return WAITING
        picture = drawing.read_drawing(url)
        read: dict[str, Image.Image] = {}  # one of each size; most models share theirs
        made = []
        for name in chosen:
            size = cache.spec(name).data.image
            images = drawing.as_input(picture, size, centred=centred)
            again, z = sampling.remake(cache.encoder(name), cache.generator(name), images)
            read[f"what is read: {size}"] = enlarge(images.pil()[0], SIDE)
            made.append((f"{name}, from {z.shape[1]} numbers", enlarge(again.pil()[0], SIDE)))
        return figures([*read.items(), *made])

    live(page, [sheet.drawn, centred, chosen], draw, shown)
