"""A table of all models and their metrics, and the card of one."""

from __future__ import annotations

from typing import Any

import gradio as gr

from ganzoo.demo.cards import card, table
from ganzoo.demo.model_cache import ModelCache
from ganzoo.demo.tabs.controls import ModelMenu, live


def cards(cache: ModelCache, opening: Any) -> None:
    """Build the tab."""
    metrics = table((name, cache.spec(name)) for name in cache.names)
    gr.Markdown(metrics, elem_classes="figures-table")
    model = ModelMenu(cache.names)
    text = gr.HTML(elem_classes="card")
    live(opening, [model], lambda name: card(name, cache.bundle(name)), text)
