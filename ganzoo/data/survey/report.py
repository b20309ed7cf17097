"""One HTML page about a folder of image files, without scripts and without other files."""

from __future__ import annotations

import base64
import html
import io
import os
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from string import Template

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ganzoo.bundle.files import write_file
from ganzoo.data.survey.command import with_location
from ganzoo.data.survey.summary import DataSummary
from ganzoo.data.survey.text import count_groups, rows_of
from ganzoo.data.survey.tiles import draw_names, read_tiles
from ganzoo.errors import printable, quantity

GROUPS = 8  # groups of duplicates with images
MEMBERS = 6  # images of a group
ROWS = 50  # unreadable files and classes
QUALITY = 85
_ELSEWHERE = ("identical", "near", "classes", "unreadable")  # rows with a section of their own


def write_report(summary: DataSummary, path: Path) -> None:
    """Write the page, complete or not at all.

    Raises:
        OutputError: the file cannot be written.
    """
    sheet, root = draw_names(summary), os.path.join(summary.folder, "")
    groups = [group[:MEMBERS] for group in _groups(summary)]
    tiles = read_tiles(summary, list(dict.fromkeys([*sheet, *(n for g in groups for n in g)])))
    rows = {key: value for key, value in rows_of(summary).items() if key not in _ELSEWHERE}
    page = _template("report.html").substitute(
        style=_file("report.css"),
        title=_escape(Path(summary.folder).absolute().name or summary.folder),
        files=_escape(summary.files),
        notes=_list([_without(root, note) for note in summary.notes], "<p>Nothing to note.</p>"),
        command=_command(summary),
        rows=_table(rows.items()),
        mean=_figure(summary.mean, "mean"),
        sheet="".join(_figure(tiles[name], name) for name in sheet if name in tiles),
        count=f"{len(sheet):,} of {summary.readable:,}",
        shapes=_bars(summary.sizes.shapes),
        sizes=_bars(summary.sizes.common),
        classes=_section("Classes", _bars(summary.classes)),
        splits=_section("Splits", _bars(summary.splits)),
        skipped=_bars(summary.skipped) or "<p>No other files.</p>",
        unreadable=_section(
            f"Unreadable: {len(summary.unreadable):,}",
            _list([_without(root, each.reason) for each in summary.unreadable[:ROWS]], ""),
        ),
        identical=_duplicates(summary.identical, tiles),
        near=_duplicates(summary.near, tiles),
        distance=summary.distance,
        recipes=_recipes(summary),
    )
    write_file(path, page)


def _groups(summary: DataSummary) -> list[tuple[str, ...]]:
    return [*summary.identical[:GROUPS], *summary.near[:GROUPS]]


def _duplicates(groups: Sequence[Sequence[str]], tiles: Mapping[str, NDArray[np.uint8]]) -> str:
    if not groups:
        return "<p>None.</p>"
    parts = [f"<p>{count_groups(groups)}.</p>"]
    for group in groups[:GROUPS]:
        figures = "".join(
            _figure(tiles[name], name, caption=True) for name in group[:MEMBERS] if name in tiles
        )
        more = f"<p>and {len(group) - MEMBERS:,} more</p>" if len(group) > MEMBERS else ""
        parts.append(f'<div class="group">{figures}{more}</div>')
    if len(groups) > GROUPS:
        parts.append(f"<p>and {quantity(len(groups) - GROUPS, 'more group')}</p>")
    return "".join(parts)


def _command(summary: DataSummary) -> str:
    """Return the next command, without the path of the folder: the page may be published."""
    if not summary.command:
        return ""
    command = with_location(summary.command, Path(summary.folder).name or "DIR")
    text = "The plan of a training on these images; without --dry-run, it starts:"
    return f"<p>{text}</p><pre>{_escape(command)} --dry-run</pre>"


def _recipes(summary: DataSummary) -> str:
    rows = []
    for recipe in summary.recipes:
        size = f"{recipe.height}x{recipe.width}x{recipe.channels}"
        fit = f"{recipe.epochs:,.0f} epochs" if recipe.fits else recipe.reason
        cells = (recipe.name, size, f"{recipe.images_per_epoch:,}", fit)
        kind = "" if recipe.fits else ' class="faint"'
        rows.append(f"<tr{kind}>{''.join(f'<td>{_escape(cell)}</td>' for cell in cells)}</tr>")
    head = "<tr><th>recipe</th><th>images</th><th>in an epoch</th><th>a whole run</th></tr>"
    return (
        f'<table class="plain">{head}{"".join(rows)}</table>'
        if rows
        else "<p>None is installed.</p>"
    )


def _bars(counts: Mapping[str, int]) -> str:
    """Return counts as a table with bars."""
    most = max(counts.values(), default=0) or 1
    rows = [
        f"<tr><th>{_escape(name)}</th><td>{n:,}</td>"
        f'<td class="bar"><i style="width:{100 * n / most:.1f}%"></i></td></tr>'
        for name, n in list(counts.items())[:ROWS]
    ]
    more = f"<p>and {len(counts) - ROWS:,} more</p>" if len(counts) > ROWS else ""
    return f'<table class="bars">{"".join(rows)}</table>{more}' if rows else ""


def _section(title: str, content: str) -> str:
    return f"<section><h2>{_escape(title)}</h2>{content}</section>" if content else ""


def _table(rows: Iterable[tuple[str, str]]) -> str:
    return (
        '<table class="plain">'
        + "".join(f"<tr><th>{_escape(k)}</th><td>{_escape(v)}</td></tr>" for k, v in rows)
        + "</table>"
    )


def _list(texts: Sequence[str], otherwise: str) -> str:
    items = "".join(f"<li>{_escape(text)}</li>" for text in texts)
    return f"<ul>{items}</ul>" if items else otherwise


def _figure(pixels: NDArray[np.uint8], name: str, *, caption: bool = False) -> str:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=QUALITY)
    url = f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
    text = _escape(name)
    below = f"<figcaption>{text}</figcaption>" if caption else ""
    return f'<figure><img src="{url}" alt="{text}" title="{text}">{below}</figure>'


def _without(folder: str, text: str) -> str:
    """Return a text with paths in a folder, not of it: the page may be published."""
    return text.replace(folder, "")


def _escape(text: str) -> str:
    return html.escape(printable(text))


def _file(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _template(name: str) -> Template:
    return Template(_file(name))
