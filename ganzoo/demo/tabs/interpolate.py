"""Interpolation between two seeds."""

from __future__ import annotations

import functools
from typing import Any

import gradio as gr
from PIL import Image

from ganzoo.demo import interpolation
from ganzoo.demo.model_cache import ModelCache
from ganzoo.demo.render import GRIDS, enlarge, enlarge_grid
from ganzoo.demo.sampling import limit_settings
from ganzoo.demo.tabs.controls import (
    ModelMenu,
    class_menu,
    image_view,
    live,
    seed_box,
    truncation_slider,
    view,
)
from ganzoo.demo.tabs.layout import control_column, drawing_column
from ganzoo.sampling.sizes import is_large


def interpolate(cache: ModelCache, opening: Any) -> None:
    """Build the tab."""
    with gr.Row():
        with control_column(
            "An interpolation generates images between two latents. The spherical path keeps "
            "the length of the latents. The linear path passes closer to the origin, where "
            "training draws few latents. A model with a mapping network has a path in *w*, too."
        ):
            model = ModelMenu(cache.unconditional_first)
            label = class_menu(cache, model)
            with gr.Row():
                a, b = seed_box("from seed", 3), seed_box("to seed", 9)
            path = _path_menu(cache, model)
            steps = _steps_slider(cache, model)
            psi = truncation_slider(cache, model)
        with drawing_column():
            position = gr.Slider(0, 1, 0.5, step=0.01, label="position")
            image_at_position = image_view("image at the position", height=300)
            all_steps = image_view("all steps")

    @functools.lru_cache(GRIDS)
    def draw_steps(name: str, *arguments: Any) -> Image.Image:
        images = interpolation.interpolate(cache.generator(name), *arguments)
        columns = 4 if is_large(cache.spec(name).data.image) else 8
        return enlarge_grid(images, columns=min(columns, len(images)))

    def draw(
        name: str,
        label: str | None,
        a: Any,
        b: Any,
        path: str,
        steps: Any,
        psi: Any,
        position: Any,
    ) -> tuple[Any, Any]:
        model = cache.generator(name)
        (image,) = interpolation.interpolate_at(model, a, b, position, path, label, psi)
        rows = draw_steps(name, a, b, steps, path, label, psi)
        return view(enlarge(image, 280), model.spec), view(rows, model.spec)

    controls = [model, label, a, b, path, steps, psi, position]
    live(opening, controls, draw, [image_at_position, all_steps])


def _steps_slider(cache: ModelCache, model: ModelMenu) -> gr.Slider:
    """Return a slider of the number of steps, up to that of the model."""

    def settings(name: str) -> dict[str, Any]:
        most = interpolation.max_steps(cache.spec(name))
        return limit_settings(most, interpolation.MAX_STEPS)

    return model.control(gr.Slider, settings, minimum=2, value=16, step=1, label="steps")


def _path_menu(cache: ModelCache, model: ModelMenu) -> gr.Radio:
    """Return the kinds of paths of the model."""

    def settings(name: str) -> dict[str, Any]:
        kinds = interpolation.paths(cache.spec(name))
        return {"choices": kinds, "value": kinds[0]}

    return model.control(gr.Radio, settings, label="path")
