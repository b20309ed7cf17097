"""A plane of latents around a seed."""

from __future__ import annotations

from typing import Any

import gradio as gr
from PIL import Image

from ganzoo.demo.latent_walk import REACH, SIDE, clicked, framed, plane, side, step
from ganzoo.demo.model_cache import ModelCache
from ganzoo.demo.render import enlarge, enlarged
from ganzoo.demo.tabs.controls import (
    EVENT,
    answered,
    class_menu,
    live,
    model_menu,
    picture,
    seed_box,
)


def walk(cache: ModelCache, page: gr.Blocks) -> None:
    """Lay the tab out."""
    with gr.Row():
        with gr.Column(scale=1, min_width=260):
            gr.Markdown(
                "Two directions of the latents, at right angles, with the seed's own image in the "
                "middle. **Click into the plane**, or move the sliders."
            )
            model = model_menu(cache.walkable)
            label = class_menu(cache, model)
            with gr.Row():
                seed, directions = seed_box("seed", 0), seed_box("directions", 1)
            x = gr.Slider(-REACH, REACH, 0, step=0.01, label="to the right")
            y = gr.Slider(-REACH, REACH, 0, step=0.01, label="upwards")
            one = picture("the image in the frame", height=230)
        with gr.Column(scale=2, min_width=320):
            all_ = picture("the plane", elem_id="plane")
        shape = gr.State((1, 1, SIDE))  # of the plane: width, height, images of a side

    def draw(
        name: str, label: str | None, seed: Any, directions: Any, x: Any, y: Any
    ) -> tuple[Image.Image, Image.Image, tuple[int, int, int]]:
        model = cache.generator(name)
        (here,) = step(model, seed, directions, x, y, label)
        whole = enlarged(plane(model, seed, directions, label))
        count = side(model.spec)
        return enlarge(here, 224), framed(whole, x, y, count), (*whole.size, count)

    def move(shape: tuple[int, int, int], event: gr.SelectData) -> tuple[float, float]:
        width, height, count = shape
        across, down = event.index
        return clicked(across, width, count), clicked(height - down, height, count)

    live(page, [model, label, seed, directions, x, y], draw, [one, all_, shape])
    all_.select(answered(move), shape, [x, y], **EVENT)
