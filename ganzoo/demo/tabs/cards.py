"""What the models are: a table of them all, and the card of one."""

from __future__ import annotations

import gradio as gr

from ganzoo.demo.cards import card, table
from ganzoo.demo.shelf import Shelf
from ganzoo.demo.tabs.controls import live, model_menu


def cards(shelf: Shelf, page: gr.Blocks) -> None:
    """Lay the tab out."""
    figures = table((name, shelf.spec(name)) for name in shelf.names)
    gr.Markdown(figures, elem_classes="figures-table")
    model = model_menu(shelf.names)
    text = gr.Markdown(elem_classes="card")
    live(page, [model], lambda name: card(name, shelf.bundle(name)), text)
