"""A table of all models and their metrics, and the card of one."""

from __future__ import annotations

import gradio as gr

from ganzoo.demo.cards import card, table
from ganzoo.demo.model_cache import ModelCache
from ganzoo.demo.tabs.controls import live, model_menu


def cards(cache: ModelCache, page: gr.Blocks) -> None:
    """Build the tab."""
    metrics = table((name, cache.spec(name)) for name in cache.names)
    gr.Markdown(metrics, elem_classes="figures-table")
    model = model_menu(cache.names)
    text = gr.HTML(elem_classes="card")
    live(page, [model], lambda name: card(name, cache.bundle(name)), text)
