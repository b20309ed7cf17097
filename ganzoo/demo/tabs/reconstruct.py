"""Reconstructions of a drawn or uploaded digit by autoencoders."""

from __future__ import annotations

from typing import Any

import gradio as gr
from PIL import Image

from ganzoo.demo import drawing, sampling
from ganzoo.demo.model_cache import ModelCache
from ganzoo.demo.render import enlarge, figures
from ganzoo.demo.tabs.controls import live
from ganzoo.demo.tabs.layout import control_column, drawing_column
from ganzoo.demo.tabs.pad import pad

SIDE = 336  # pixels of each image
PLACEHOLDER = '<p class="caption">The reconstructions appear here.</p>'


def reconstruct(cache: ModelCache, opening: Any) -> None:
    """Build the tab."""
    names = list(cache.autoencoders)
    with gr.Row():
        with control_column(
            "An encoder compresses an image to a few numbers, and a generator reconstructs the "
            "image from them. **Draw a digit** to see its reconstructions. If an upload has "
            "another shape, its centre is used."
        ):
            size = cache.spec(names[0]).data.image
            drawing_pad = pad("draw a digit here", size, ink="#fff", paper="#000", width=24)
            centred = gr.Checkbox(True, label="scale and centre the digit like the training data")
            models = gr.CheckboxGroup(names, value=names, label="models")
        with drawing_column():
            view = gr.HTML(PLACEHOLDER, apply_default_css=False)

    def draw(url: Any, centred: bool, models: list[str]) -> str:
        if not url:
            return PLACEHOLDER
        image = drawing.read_drawing(url)
        inputs: dict[str, Image.Image] = {}  # one for each size, which most models share
        outputs = []
        for name in models:
            size = cache.spec(name).data.image
            batch = drawing.as_input(image, size, centred=centred)
            output, z = sampling.reconstruct(cache.encoder(name), cache.generator(name), batch)
            inputs[f"input: {size}"] = enlarge(batch.pil()[0], SIDE)
            outputs.append((f"{name}, from {z.shape[1]} numbers", enlarge(output.pil()[0], SIDE)))
        return figures([*inputs.items(), *outputs])

    live(opening, [drawing_pad.canvas, centred, models], draw, view)
