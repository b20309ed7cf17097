"""Write a model's card as HTML and the metrics of models as Markdown, without the network."""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Iterable

from ganzoo.bundle import CARD, Bundle, read_card, read_checksums
from ganzoo.bundle.summary import is_on_training_images
from ganzoo.cards import BLOCKS, CardContext, Location, split_header
from ganzoo.demo.drawing import open_upload, write_drawing
from ganzoo.demo.markdown import render_card
from ganzoo.errors import MALFORMED, BundleError, HubError, ImageFileError, printable
from ganzoo.spec import ModelSpec

# Sections of a card that need only the config; the others describe files that may be on the Hub.
_SECTIONS = {"": "samples", "Use": "use", "Training": "training", "Results": "results"}
_METRICS = {
    "frechet_distance": "Fréchet distance",
    "precision": "precision",
    "recall": "recall",
}


def card(name: str, bundle: Bundle) -> str:
    """Return a model's card as HTML without its header, with the bundle's images and no others.

    The card of a model on the Hub may be edited there by others, so a card generated from the
    config replaces it.

    Args:
        name: the model's name, as in `ganzoo.load`.
        bundle: the model's bundle.
    """
    try:
        content = read_card(bundle.file(CARD).parent) if bundle.holds(CARD) else None
    except (BundleError, HubError, OSError):
        content = None
    body = (
        _generated(name, bundle)
        if content is None
        else split_header(content.decode("utf-8-sig", "replace"))[1]
    )
    return render_card(body, functools.partial(_image_url, bundle))


def _generated(name: str, bundle: Bundle) -> str:
    """Generate a card from the config, without sections for which the config lacks data.

    A complete card would need the files of weights, which may not be downloaded.
    """
    context = CardContext.at(bundle.spec, bundle.path, read_checksums(bundle.path), Location(name))
    parts = [f"# {bundle.spec.name}\n"]
    for title, block in _SECTIONS.items():
        try:
            content = BLOCKS[block](context)
        except MALFORMED:
            continue
        parts.append(f"## {title}\n\n{content}" if title else content)
    return "\n".join(parts)


def table(specs: Iterable[tuple[str, ModelSpec]]) -> str:
    """Return a table of models and their metrics, one row for each.

    Metrics are comparable only if they use the same feature extractor, which the last column names.
    """
    columns = ["model", "architecture", "loss", "latent", "classes", *_METRICS.values()]
    rows = [[*columns, "feature extractor"], ["---"] * (len(columns) + 1)]
    for name, spec in specs:
        metrics, extractor = _read_metrics(spec)
        rows.append(
            [
                _cell(name),
                _cell(spec.architecture),
                _cell(_loss(spec)),
                str(spec.latent.dim) if spec.latent else "",
                str(spec.data.classes) if "y" in spec.inputs else "",
                *(f"{metrics[key]:.3g}" if key in metrics else "" for key in _METRICS),
                _cell(extractor),
            ]
        )
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _image_url(bundle: Bundle, name: str) -> str | None:
    """Return one of the bundle's images as a data URL, None for any other."""
    if not name.endswith((".png", ".webp")) or "/" in name or "\\" in name:
        return None
    try:
        return write_drawing(open_upload(bundle.file(name))) if bundle.holds(name) else None
    except (BundleError, HubError, ImageFileError, OSError):  # show the card without the image
        return None


def _read_metrics(spec: ModelSpec) -> tuple[dict[str, float], str]:
    """Return the metrics in a config and their feature extractor, without entries of another form.

    They compare with the images of the training. Of several evaluations with one extractor, the one
    with the most samples counts. The dataset's usual extractor has priority.
    """
    results: dict[str, dict[str, float]] = {}
    most: dict[str, int] = {}
    entries = spec.provenance.get("metrics")
    for entry in entries if isinstance(entries, list) else []:
        with contextlib.suppress(*MALFORMED):
            metrics = {k: float(entry["metrics"][k]) for k in _METRICS if k in entry["metrics"]}
            protocol = entry["protocol"]
            extractor, samples = str(protocol["extractor"]), int(protocol["samples"])
            if is_on_training_images(spec, protocol) and samples >= most.get(extractor, 0):
                results[extractor], most[extractor] = metrics, samples
    usual = spec.data.extractor
    extractor = usual if usual in results else next(iter(results), "")
    return results.get(extractor, {}), extractor


def _loss(spec: ModelSpec) -> str:
    try:
        return str(spec.provenance["recipe"]["loss"]["name"])
    except MALFORMED:
        return ""


def _cell(text: str) -> str:
    """Return a text without characters that end a table cell or begin markup."""
    return re.sub(r"[|\r\n<>\[\]!`&]", " ", printable(text))[:80]
