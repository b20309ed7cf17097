"""Markdown tables of two columns: a label and a value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_ROW = re.compile(r"^\| (.+?) \| (.*) \|$", re.MULTILINE)


def table(rows: Iterable[tuple[str, str]]) -> str:
    """Return rows as a Markdown table without column titles."""
    return "| | |\n|---|---|\n" + "".join(f"| {_cell(a)} | {_cell(b)} |\n" for a, b in rows)


def read_rows(text: str) -> Iterator[tuple[str, str]]:
    """Return the rows of all tables of two columns in a text."""
    return ((match[1], match[2]) for match in _ROW.finditer(text))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|")
