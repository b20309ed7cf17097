"""The tabs of the page: gradio's parts of it, one file each."""

from collections.abc import Callable

import gradio as gr

from ganzoo.demo.shelf import Shelf
from ganzoo.demo.tabs.cards import cards
from ganzoo.demo.tabs.compare import compare
from ganzoo.demo.tabs.interpolate import interpolate
from ganzoo.demo.tabs.reconstruct import reconstruct
from ganzoo.demo.tabs.samples import samples
from ganzoo.demo.tabs.translate import translate
from ganzoo.demo.tabs.walk import walk

Tab = Callable[[Shelf, gr.Blocks], None]


def offered(shelf: Shelf) -> dict[str, Tab]:
    """Return the tabs that these models have something to show on, in their order."""
    tabs: list[tuple[str, Tab, bool]] = [
        ("Samples", samples, bool(shelf.generators)),
        ("Interpolate", interpolate, bool(shelf.generators)),
        ("Walk", walk, bool(shelf.walkable)),
        ("Reconstruct", reconstruct, bool(shelf.autoencoders)),
        ("Translate", translate, bool(shelf.translators)),
        ("Compare", compare, len(shelf.generators) > 1),
        ("Cards", cards, True),
    ]
    return {title: tab for title, tab, is_there in tabs if is_there}
