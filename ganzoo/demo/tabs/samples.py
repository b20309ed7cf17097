"""Samples of one model from a seed."""

from __future__ import annotations

from typing import Any

import gradio as gr

from ganzoo.demo import sampling
from ganzoo.demo.model_cache import ModelCache
from ganzoo.demo.render import enlarge_grid
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


def samples(cache: ModelCache, opening: Any) -> None:
    """Build the tab."""
    with gr.Row():
        with control_column("Image *k* of a seed does not depend on the number of images."):
            model = ModelMenu(cache.generators)
            label = class_menu(cache, model, all_classes=True)
            seed = seed_box("seed", 0)
            count = _count_slider(cache, model)
            psi = truncation_slider(cache, model)
            threshold = _threshold_slider(cache, model)
        with drawing_column():
            grid = image_view("samples, uncurated")

    def draw(name: str, label: str | None, seed: Any, count: Any, psi: Any, threshold: Any) -> Any:
        generator = cache.generator(name)
        images = sampling.samples(generator, seed, count, label, psi, threshold)
        return view(enlarge_grid(images), generator.spec)

    live(opening, [model, label, seed, count, psi, threshold], draw, grid)


def _count_slider(cache: ModelCache, model: ModelMenu) -> gr.Slider:
    """Return a slider of the number of images, up to that of a request for the model."""

    def settings(name: str) -> dict[str, Any]:
        return sampling.limit_settings(sampling.max_images(cache.spec(name)), sampling.MAX_IMAGES)

    return model.control(
        gr.Slider, settings, minimum=1, value=sampling.IMAGES, step=1, label="images"
    )


def _threshold_slider(cache: ModelCache, model: ModelMenu) -> gr.Slider:
    """Return a slider of the truncation of z, hidden for a model with a mapping network."""
    low, high = sampling.THRESHOLDS

    def settings(name: str) -> dict[str, Any]:
        return {"value": high, "visible": cache.spec(name).styles is None}

    return model.control(
        gr.Slider,
        settings,
        minimum=low,
        maximum=high,
        step=0.1,
        label="truncation of z",
        info=f"largest magnitude of a latent's numbers; {high:g} for none",
    )
