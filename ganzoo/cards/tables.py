"""Markdown tables of two columns, a label and a value; foreign text in Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ganzoo.errors import printable

_TAG = re.compile(r"<(?=[A-Za-z/!?])")


def table(rows: Iterable[tuple[str, str]]) -> str:
    """Return rows as a Markdown table without column titles."""
    return "| | |\n|---|---|\n" + "".join(f"| {_cell(a)} | {_cell(b)} |\n" for a, b in rows)


def read_rows(text: str) -> Iterator[tuple[str, str]]:
    """Return the rows of all tables of two columns in a text."""
    for line in text.split("\n"):
        if line.startswith("| ") and line.endswith(" |"):
            label, separator, value = line[2:-2].partition(" | ")
            if label and separator:
                yield label, value


def plain(text: str) -> str:
    """Return foreign text for Markdown, with HTML and control characters escaped."""
    return _TAG.sub("&lt;", printable(text))


def _cell(text: str) -> str:
    return plain(" ".join(text.split())).replace("|", r"\|")
