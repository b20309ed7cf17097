"""A walk on a plane of latents around a seed."""

from __future__ import annotations

import functools
from typing import Any

import gradio as gr
from PIL import Image

from ganzoo.demo.latent_walk import REACH, SIDE, draw_frame, plane, side, step, step_at_click
from ganzoo.demo.model_cache import ModelCache
from ganzoo.demo.render import GRIDS, enlarge, enlarge_grid
from ganzoo.demo.tabs.controls import (
    EVENT,
    ModelMenu,
    class_menu,
    image_view,
    live,
    seed_box,
    show_errors,
    view,
)
from ganzoo.demo.tabs.layout import control_column, drawing_column


def walk(cache: ModelCache, opening: Any) -> None:
    """Build the tab."""
    with gr.Row():
        with control_column(
            "The plane has two orthogonal directions of the latents, with the seed's image in "
            "the middle. **Click into the plane**, or move the sliders."
        ):
            model = ModelMenu(cache.walkable)
            label = class_menu(cache, model)
            with gr.Row():
                seed, directions = seed_box("seed", 0), seed_box("directions", 1)
            x = gr.Slider(-REACH, REACH, 0, step=0.01, label="to the right")
            y = gr.Slider(-REACH, REACH, 0, step=0.01, label="upwards")
            framed_image = image_view("image in the frame", height=230)
        with drawing_column():
            plane_view = image_view("plane", elem_id="plane")
        shape = gr.State((1, 1, SIDE))  # of the plane: width, height, images per side

    @functools.lru_cache(GRIDS)
    def draw_plane(name: str, *arguments: Any) -> Image.Image:
        return enlarge_grid(plane(cache.generator(name), *arguments))

    def draw(
        name: str, label: str | None, seed: Any, directions: Any, x: Any, y: Any
    ) -> tuple[Any, Any, tuple[int, int, int]]:
        model = cache.generator(name)
        (image,) = step(model, seed, directions, x, y, label)
        grid = draw_plane(name, seed, directions, label)
        count = side(model.spec)
        plane_image = draw_frame(grid, x, y, count)
        views = view(enlarge(image, 224), model.spec), view(plane_image, model.spec)
        return *views, (*grid.size, count)

    def move(shape: tuple[int, int, int], event: gr.SelectData) -> tuple[float, float]:
        width, height, count = shape
        across, down = event.index
        return step_at_click(across, width, count), step_at_click(height - down, height, count)

    live(opening, [model, label, seed, directions, x, y], draw, [framed_image, plane_view, shape])
    plane_view.select(show_errors(move), shape, [x, y], **EVENT)
