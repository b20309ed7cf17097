"""Translation of a drawing by a translator."""

from __future__ import annotations

from typing import Any

import gradio as gr

from ganzoo.demo import drawing, sampling
from ganzoo.demo.model_cache import ModelCache
from ganzoo.demo.render import enlarge
from ganzoo.demo.tabs.controls import ModelMenu, image_view, live, seed_box, view
from ganzoo.demo.tabs.layout import control_column, drawing_column
from ganzoo.demo.tabs.pad import pad


def translate(cache: ModelCache, opening: Any) -> None:
    """Build the tab."""
    with gr.Row():
        with control_column(
            "**Draw lines**, or upload an image like the model's training inputs. If an upload "
            "has another shape, its centre is used."
        ):
            size = cache.spec(cache.drawable[0]).data.condition
            assert size is not None  # guaranteed by the spec of a translator
            drawing_pad = pad("draw lines here", size, ink="#000", paper="#fff", width=8)
            model = ModelMenu(cache.drawable)
            noisy = any("z" in cache.spec(name).inputs for name in cache.drawable)
            seed = seed_box("seed of the noise", 0, visible=noisy)
        with drawing_column():
            input_view = image_view("input", height=240)
            output_view = image_view("output")

    def draw(url: Any, name: str, seed: Any) -> tuple[Any, Any]:
        if not url:
            return None, None
        model = cache.translator(name)
        condition = drawing.as_input(drawing.read_drawing(url), model.condition)
        translated = model.translate(condition, sampling.check_seed(seed))
        before, after = condition.pil()[0], translated.pil()[0]
        return view(enlarge(before, 256), model.spec), view(enlarge(after, 512), model.spec)

    live(opening, [drawing_pad.canvas, model, seed], draw, [input_view, output_view])
