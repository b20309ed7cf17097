"""Tables and lists that fit the terminal."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Collection, Sequence
from shutil import get_terminal_size
from typing import Any

from ganzoo.system.terminal import print_out

FIRST, FURTHER = "  ", "    "  # indents of the first line of a row, and of its other lines
GAP = "  "


def on_one_line(value: Any) -> str:
    """Return a value as text in one line."""
    return " ".join(str(value).splitlines())


def count_columns() -> int:
    """Return the width of the terminal; output that is not a terminal has no limit."""
    return get_terminal_size().columns if sys.stdout.isatty() else sys.maxsize


def print_table(rows: Sequence[Sequence[str]], numbers: Collection[str] = ()) -> None:
    """Print a table; in a narrow terminal, fold each row into several lines.

    Args:
        rows: the headings, then the rows.
        numbers: headings of the columns that are aligned on the right.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = _fold(widths, count_columns())
    for row in rows:
        cells = [
            cell.rjust(width) if heading in numbers else cell.ljust(width)
            for heading, cell, width in zip(rows[0], row, widths, strict=True)
        ]
        for line in lines:
            text = GAP.join(cells[k] for k in line).rstrip()
            if text.strip():
                print_out(on_one_line(f"{FIRST if line is lines[0] else FURTHER}{text}"))


def print_items(items: Sequence[tuple[str, Sequence[str]]]) -> None:
    """Print names and texts: one line each, or several lines in a narrow terminal.

    Args:
        items: a name and its texts, of which empty ones are left out.
    """
    indent = len(FIRST) + max((len(name) for name, _ in items), default=0) + len(GAP)
    columns = count_columns()
    for name, texts in items:
        texts = [on_one_line(text) for text in texts if text]
        line = GAP.join(texts)
        if indent + len(line) > columns:
            width = max(columns - indent, 20)
            wrapped = (textwrap.wrap(text, width, break_long_words=False) for text in texts)
            line = f"\n{' ' * indent}".join(part for parts in wrapped for part in parts)
        print_out(f"{FIRST}{name:<{indent - len(FIRST)}}{line}".rstrip())


def _fold(widths: Sequence[int], columns: int) -> list[list[int]]:
    """Return the indices of the table's columns on each line of a row."""
    lines, used = [[0]], len(FIRST) + widths[0]
    for index, width in enumerate(widths[1:], start=1):
        used += len(GAP) + width
        if used <= columns:
            lines[-1].append(index)
        else:
            lines.append([index])
            used = len(FURTHER) + width
    return lines
