"""A model's card and figures, as Markdown that asks for nothing on the network."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ganzoo.bundle import CARD, Bundle, read_checksums
from ganzoo.cards import BLOCKS, CardContext, Location, split_header
from ganzoo.demo.drawing import open_upload, write_drawing
from ganzoo.errors import BundleError, HubError, ImageFileError
from ganzoo.spec import ModelSpec

_PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)\s]*)[^)]*\)")
# Sections of a card that the config alone states; others are about files that may be on the Hub.
_SECTIONS = {"": "samples", "Use": "use", "Training": "training", "Results": "results"}
_FIGURES = {
    "frechet_distance": "Fréchet distance",
    "precision": "precision",
    "recall": "recall",
}


def card(name: str, bundle: Bundle) -> str:
    """Return a model's card without its header, its own pictures in it and no others.

    The card of a model on the Hub may be edited there, so nothing vouches for it: what a card says
    by the config is shown in its place.

    Args:
        name: what `ganzoo.load` takes.
        bundle: the model's.
    """
    try:
        text = bundle.file(CARD).read_text("utf-8", "replace") if bundle.holds(CARD) else None
    except (BundleError, HubError, OSError):
        text = None
    body = _generated(name, bundle) if text is None else split_header(text)[1]
    return _PICTURE.sub(lambda found: _inline(bundle, found[1], found[2]), body)


def _generated(name: str, bundle: Bundle) -> str:
    """What a card says by the config, without what a config of others' does not state.

    A whole card would take the files of weights, which need not be here.
    """
    subject = CardContext.at(bundle.spec, bundle.path, read_checksums(bundle.path), Location(name))
    parts = [f"# {bundle.spec.name}\n"]
    for title, block in _SECTIONS.items():
        try:
            content = BLOCKS[block](subject)
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError):
            continue
        parts.append(f"## {title}\n\n{content}" if title else content)
    return "\n".join(parts)


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
    except (BundleError, HubError, ImageFileError, OSError):  # the card stands without it
        return ""


def _measured(spec: ModelSpec) -> tuple[dict[str, float], str]:
    """Figures that the config states, whatever else is in it, and by which features.

    Those of the features that are usual for its data come before others.
    """
    found: dict[str, dict[str, float]] = {}
    try:
        for each in spec.provenance["metrics"]:
            figures = {k: float(each["metrics"][k]) for k in _FIGURES if k in each["metrics"]}
            found[str(each["protocol"]["extractor"])] = figures
    except (KeyError, TypeError, ValueError):
        return {}, ""
    extractor = spec.data.extractor if spec.data.extractor in found else next(iter(found), "")
    return found.get(extractor, {}), extractor


def _loss(spec: ModelSpec) -> str:
    try:
        return str(spec.provenance["recipe"]["loss"]["name"])
    except (KeyError, TypeError):
        return ""


def _cell(text: str) -> str:
    """A text without what would end a cell or begin markup."""
    return re.sub(r"[|\r\n<>\[\]!`]", " ", text)[:80]
