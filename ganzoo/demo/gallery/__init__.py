"""Write a page with the samples, metrics and card of each model as one HTML file."""

from __future__ import annotations

import base64
import functools
import html
import itertools
import re
import warnings
from collections.abc import Collection, Iterable, Sequence
from importlib.resources import files
from pathlib import Path, PurePosixPath
from string import Template

from ganzoo import zoo
from ganzoo.bundle import Bundle
from ganzoo.bundle.files import write_file
from ganzoo.bundle.summary import ModelSummary, read_summary
from ganzoo.cards import read, split_header
from ganzoo.demo.markdown import render_card
from ganzoo.errors import CardError, printable, quantity
from ganzoo.registry.names import parse_model_name
from ganzoo.sampling.sizes import samples_name

_MAX_FIGURE = 2**24  # bytes of an image file; larger ones are left out
_TYPES = {".png": "png", ".jpg": "jpeg", ".gif": "gif", ".webp": "webp"}


def write_gallery(names: Sequence[str | Path], path: Path) -> None:
    """Write a page of models as one HTML file that loads no other file.

    Args:
        names: names of registered models, or folders of bundles.
        path: the HTML file.

    Raises:
        UnknownNameError, BundleError, ...: as for `ganzoo.load`.
        OutputError: the file cannot be written.
    """
    bundles: dict[str, Bundle] = {}
    for name in dict.fromkeys(map(str, names)):
        bundle = zoo.find(name)
        bundles[_unique(_shown_name(name, bundle), bundles)] = bundle
    summaries = {name: read_summary(bundle) for name, bundle in bundles.items()}
    write_file(
        path,
        _template("page.html").substitute(
            style=_file("style.css"),
            count=len(bundles),
            tiles="".join(_tile(name, summaries[name], bundle) for name, bundle in bundles.items()),
            cards="".join(_card(name, bundle) for name, bundle in bundles.items()),
        ),
    )


def _shown_name(name: str, bundle: Bundle) -> str:
    """Return the name of a model on the page, which may be published: of a folder that of its
    config, because its path would say where the user's files are."""
    is_folder = isinstance(parse_model_name(name), Path)
    return bundle.spec.name if is_folder else name


def _unique(name: str, others: Collection[str]) -> str:
    """Return a name, with a number behind it if others have it."""
    numbered = (f"{name} ({k})" for k in itertools.count(2))
    return next(each for each in itertools.chain([name], numbered) if each not in others)


def _tile(name: str, summary: ModelSummary, bundle: Bundle) -> str:
    data = summary.spec.data
    facts = {
        "data": data.origin.partition(":")[0],
        "images": f"{data.image}"
        + f", {quantity(data.classes, 'class')}" * ("y" in summary.spec.inputs),
        "parameters": f"{summary.parameters:,}",
        "size": f"{summary.bytes / 1e6:.1f} MB",
        **{
            f"Fréchet distance, {extractor}": f"{value:.4g}"
            for extractor, value in summary.distances.items()
        },
        "licence": summary.spec.license or "not stated",
    }
    return _template("tile.html").substitute(
        anchor=_anchor(name),
        name=_escape(name),
        description=_escape(summary.description),
        samples=_samples(name, bundle),
        rows=_rows(facts.items()),
    )


def _samples(name: str, bundle: Bundle) -> str:
    url = _data_url(bundle, samples_name(bundle.spec.data.image))
    image = f'<img src="{url}" alt="samples of {_escape(name)}">'
    return f'<a href="#{_anchor(name)}">{image}</a>' if url else ""


def _rows(facts: Iterable[tuple[str, str]]) -> str:
    return "".join(
        f"<tr><th>{_escape(key)}</th><td>{_escape(value)}</td></tr>" for key, value in facts
    )


def _escape(text: str) -> str:
    return html.escape(printable(text))


def _card(name: str, bundle: Bundle) -> str:
    """Return a model's card as HTML; HTML in the card is escaped. Warns of an unreadable card."""
    try:
        text = read(bundle.path) or "The model has no card."
    except CardError as error:
        warnings.warn(f"the page shows no card of {name}: {error}", stacklevel=2)
        text = "The model's card cannot be read."
    _, body = split_header(text)
    rendered = render_card(body, functools.partial(_data_url, bundle))
    return f'<article id="{_anchor(name)}">{rendered}</article>'


def _data_url(bundle: Bundle, name: str) -> str | None:
    """Return one of the bundle's verified image files as a URL; None for any other name."""
    if PurePosixPath(name).suffix not in _TYPES or not bundle.holds(name):
        return None
    file = bundle.file(name)
    if file.stat().st_size > _MAX_FIGURE:
        return None
    return f"data:image/{_TYPES[file.suffix]};base64,{base64.b64encode(file.read_bytes()).decode()}"


def _anchor(name: str) -> str:
    """Return an identifier in HTML, another one for each name."""
    return re.sub(r"[^A-Za-z0-9-]", lambda match: f"_{ord(match[0]):x}", name)


def _file(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _template(name: str) -> Template:
    return Template(_file(name))
