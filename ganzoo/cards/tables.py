"""Markdown tables of two columns: a label and a value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


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


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|")
