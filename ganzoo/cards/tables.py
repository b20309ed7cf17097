"""Tables of two columns: what a thing is called and what it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_ROW = re.compile(r"^\| (.+?) \| (.*) \|$", re.MULTILINE)


def table(rows: Iterable[tuple[str, str]]) -> str:
    """Return rows as Markdown, without a heading."""
    return "| | |\n|---|---|\n" + "".join(f"| {_cell(a)} | {_cell(b)} |\n" for a, b in rows)


def read_rows(text: str) -> Iterator[tuple[str, str]]:
    """Return all rows of two columns that a text's tables hold."""
    return ((match[1], match[2]) for match in _ROW.finditer(text))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|")
