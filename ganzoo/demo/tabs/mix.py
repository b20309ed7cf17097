"""Style mixing of two seeds."""

from __future__ import annotations

from typing import Any

import gradio as gr

from ganzoo.demo import editing
from ganzoo.demo.model_cache import ModelCache
from ganzoo.demo.render import enlarge, figures
from ganzoo.demo.tabs.controls import ModelMenu, class_menu, live, seed_box, truncation_slider
from ganzoo.demo.tabs.layout import control_column, drawing_column
from ganzoo.sampling.styles import layer_groups

SIDE = 336  # pixels of each image
PLACEHOLDER = '<p class="caption">The images appear here. A large model takes some seconds.</p>'


def mix(cache: ModelCache, opening: Any) -> None:
    """Build the tab."""
    with gr.Row():
        with control_column(
            "Some layers read the *w* of the second seed. Coarse layers take over its pose and "
            "shape, fine layers its colours."
        ):
            model = ModelMenu(cache.with_styles)
            label = class_menu(cache, model)
            with gr.Row():
                seed, second = seed_box("seed", 3), seed_box("second seed", 9)
            layers = _layers_menu(cache, model)
            psi = truncation_slider(cache, model)
        with drawing_column():
            output = gr.HTML(PLACEHOLDER, apply_default_css=False)

    def draw(name: str, label: str | None, seed: Any, second: Any, layers: str, psi: Any) -> str:
        images = editing.mix(cache.generator(name), seed, second, layers, psi, label)
        captions = ("seed", f"with {layers} layers of the second", "second seed")
        enlarged = [enlarge(image, SIDE) for image in images]
        return figures(list(zip(captions, enlarged, strict=True)))

    live(opening, [model, label, seed, second, layers, psi], draw, output)


def _layers_menu(cache: ModelCache, model: ModelMenu) -> gr.Dropdown:
    """Return a menu of groups of layers; numbers such as 0-3,5 can be typed, too."""

    def settings(name: str) -> dict[str, Any]:
        styles = cache.spec(name).styles
        count = styles.layers if styles else 1
        groups = list(layer_groups(count))
        return {
            "choices": groups,
            "value": groups[0],
            "info": f"{', '.join(groups)}, or numbers of 0 to {count - 1}, such as 0-1,{count - 1}",
        }

    return model.control(
        gr.Dropdown, settings, label="layers of the second seed", allow_custom_value=True
    )
