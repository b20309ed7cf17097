"""Moves of one image along directions of the latent space."""

from __future__ import annotations

import html
from typing import Any

import gradio as gr

from ganzoo.demo import editing
from ganzoo.demo.model_cache import SLIDERS, ModelCache
from ganzoo.demo.render import enlarge
from ganzoo.demo.tabs.controls import (
    EVENT,
    ModelMenu,
    class_menu,
    image_view,
    live,
    seed_box,
    truncation_slider,
    view,
)
from ganzoo.demo.tabs.layout import control_column, drawing_column
from ganzoo.errors import GanzooError

SIDE = 320  # pixels of the image


def directions(cache: ModelCache, opening: Any) -> None:
    """Build the tab."""
    with gr.Row():
        with control_column(
            "Each slider moves the image along one direction of the latent space, in standard "
            "deviations of the model's latents. Directions are computed at the first use, unless "
            "the page has a file of `ganzoo directions` for the model."
        ):
            model = ModelMenu(cache.unconditional_first)
            label = class_menu(cache, model)
            seed = seed_box("seed", 3)
            psi = truncation_slider(cache, model)
        with drawing_column():
            image = image_view("moved image", height=SIDE)
            status = _status(cache, model)
            sliders = []
            for first in range(0, SLIDERS, 2):
                with gr.Row():
                    sliders += [_strength_slider(cache, model, first + k) for k in range(2)]
            reset = gr.Button("Reset", size="sm")

    def draw(name: str, label: str | None, seed: Any, psi: Any, *strengths: Any) -> Any:
        generator = cache.generator(name)
        try:
            known = cache.directions(name)
        except GanzooError as error:
            return None, html.escape(f"There are no directions: {error}")
        (moved,) = editing.move(generator, known, seed, strengths, psi, label)
        return view(enlarge(moved, SIDE), generator.spec), html.escape(editing.describe(known))

    live(opening, [model, label, seed, psi, *sliders], draw, [image, status])
    reset.click(lambda: [0] * SLIDERS, None, sliders, queue=False, **EVENT)


def _status(cache: ModelCache, model: ModelMenu) -> gr.HTML:
    """Return a line about the directions: that they are computed, or by which method they were."""

    def settings(name: str) -> dict[str, Any]:
        return {"value": html.escape(editing.describe(cache.known_directions(name)))}

    return model.control(gr.HTML, settings, elem_classes="caption")


def _strength_slider(cache: ModelCache, model: ModelMenu, number: int) -> gr.Slider:
    """Return the slider of a direction, hidden if the model has fewer."""

    def settings(name: str) -> dict[str, Any]:
        names = cache.direction_names(name)
        is_present = number < len(names)
        return {
            "label": names[number] if is_present else f"direction {number}",
            "value": 0,
            "visible": is_present,
        }

    reach = editing.REACH
    return model.control(gr.Slider, settings, minimum=-reach, maximum=reach, step=0.1)
