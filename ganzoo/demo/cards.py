"""A model's card and figures, as Markdown that asks for nothing on the network."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from ganzoo.bundle import CARD, Bundle
from ganzoo.demo.drawing import open_upload, write_drawing
from ganzoo.errors import BundleError, HubError, PictureError
from ganzoo.spec import ModelSpec

_HEADER = re.compile(r"\A---\n(?:(?!---[ \t]*$).*\n)*---[ \t]*(?:\n|\Z)", re.MULTILINE)
_PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)\s]*)[^)]*\)")
_FIGURES = {
    "frechet_distance": "Fréchet distance",
    "precision": "precision",
    "recall": "recall",
}


def card(bundle: Bundle) -> str:
    """Return a model's card without its header, its own pictures in it and no others.

    The card of a model on the Hub may be edited there, so nothing vouches for it: it is named, and
    not shown.
    """
    try:
        text = bundle.file(CARD).read_text(encoding="utf-8", errors="replace")
    except (BundleError, HubError, OSError):
        return f"# {bundle.spec.name}\n\nIts card is on its page on the Hub."
    return _PICTURE.sub(lambda found: _inline(bundle, found[1], found[2]), _HEADER.sub("", text))


def table(specs: Iterable[tuple[str, ModelSpec]]) -> str:
    """Return what models are and how good, a row each.

    Figures compare only where they were measured by the same features; the last column says by
    which.
    """
    columns = ["model", "architecture", "loss", "latent", "classes", *_FIGURES.values()]
    rows = [[*columns, "measured by"], ["---"] * (len(columns) + 1)]
    for name, spec in specs:
        figures, extractor = _measured(spec)
        rows.append(
            [
                _cell(name),
                _cell(spec.architecture),
                _cell(_loss(spec)),
                str(spec.latent.dim) if spec.latent else "",
                str(spec.data.classes) if "y" in spec.inputs else "",
                *(f"{figures[key]:.3g}" if key in figures else "" for key in _FIGURES),
                _cell(extractor),
            ]
        )
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _inline(bundle: Bundle, caption: str, name: str) -> str:
    """A picture of the bundle's own, written into the text; nothing for any other."""
    if not name.endswith(".png") or "/" in name or "\\" in name:
        return ""
    try:
        return f"![{caption}]({write_drawing(open_upload(bundle.file(name)))})"
    except (BundleError, HubError, PictureError, OSError):  # the card stands without it
        return ""


def frechet_distance(spec: ModelSpec) -> float:
    """Return the model's own figure, infinity where it states none."""
    return _measured(spec)[0].get("frechet_distance", math.inf)


def _measured(spec: ModelSpec) -> tuple[dict[str, float], str]:
    """The last figures that the config states, whatever else is in it, and by which features."""
    try:
        last = spec.provenance["metrics"][-1]
        figures = {key: float(last["metrics"][key]) for key in _FIGURES if key in last["metrics"]}
        return figures, str(last["protocol"]["extractor"])
    except (KeyError, IndexError, TypeError, ValueError):
        return {}, ""


def _loss(spec: ModelSpec) -> str:
    try:
        return str(spec.provenance["recipe"]["loss"]["name"])
    except (KeyError, TypeError):
        return ""


def _cell(text: str) -> str:
    """A text without what would end a cell or begin markup."""
    return re.sub(r"[|\r\n<>\[\]!`]", " ", text)[:80]
