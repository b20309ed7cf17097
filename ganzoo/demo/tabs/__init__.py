"""The tabs of the page, one gradio layout in each file."""

from collections.abc import Callable
from typing import Any

from ganzoo.demo.model_cache import ModelCache, has_torch
from ganzoo.demo.tabs.cards import cards
from ganzoo.demo.tabs.compare import compare
from ganzoo.demo.tabs.directions import directions
from ganzoo.demo.tabs.interpolate import interpolate
from ganzoo.demo.tabs.invert import invert
from ganzoo.demo.tabs.mix import mix
from ganzoo.demo.tabs.play import play
from ganzoo.demo.tabs.reconstruct import reconstruct
from ganzoo.demo.tabs.samples import samples
from ganzoo.demo.tabs.translate import translate
from ganzoo.demo.tabs.upscale import upscale
from ganzoo.demo.tabs.walk import walk

Tab = Callable[[ModelCache, Any], None]  # the second argument is the event of the tab's opening


def select_tabs(cache: ModelCache) -> dict[str, Tab]:
    """Return the tabs that these models support, by title, in the page's order."""
    tabs: list[tuple[str, Tab, bool]] = [
        ("Samples", samples, bool(cache.generators)),
        ("Interpolate", interpolate, bool(cache.generators)),
        ("Play", play, bool(cache.generators)),
        ("Mix", mix, bool(cache.with_styles)),
        ("Directions", directions, bool(cache.generators)),
        ("Walk", walk, bool(cache.walkable)),
        ("Invert", invert, bool(cache.generators) and has_torch()),
        ("Reconstruct", reconstruct, bool(cache.autoencoders)),
        ("Upscale", upscale, bool(cache.upscalers)),
        ("Translate", translate, bool(cache.drawable)),
        ("Compare", compare, len(cache.generators) > 1),
        ("Cards", cards, True),
    ]
    return {title: tab for title, tab, is_supported in tabs if is_supported}
