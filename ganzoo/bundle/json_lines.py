"""Files of JSON lines: the log and the metrics of a run."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ganzoo.bundle.files import reporting_output, write_file
from ganzoo.spec.json_text import read_json

TERMS, METRICS = "terms", "metrics"  # tables of a line


def add_line(path: Path, line: Mapping[str, Any]) -> None:
    """Append one line.

    Raises:
        OutputError: the file cannot be written.
    """
    with reporting_output(path), path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def read_lines(path: Path, tables: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Return all complete lines; an empty list if there is no file.

    Warns of damaged lines, and leaves them out. A last line without a line break is incomplete: its
    run was killed.

    Args:
        path: the file.
        tables: entries of a line that must be tables.

    Raises:
        OSError: the file cannot be read.
    """
    return [line for _, line in _parse(path, tables)]


def cut_back(path: Path, images_seen: int, tables: Sequence[str] = ()) -> None:
    """Remove damaged lines, lines beyond `images_seen` and an incomplete last line.

    Warns of damaged lines.

    Args:
        path: the file.
        images_seen: the number of images up to which lines are kept.
        tables: as for `read_lines`.

    Raises:
        OutputError: the file cannot be written.
    """
    if path.is_file():
        texts = [text for text, line in _parse(path, tables) if line["images"] <= images_seen]
        write_file(path, b"".join(texts))


def _parse(path: Path, tables: Sequence[str]) -> Iterator[tuple[bytes, dict[str, Any]]]:
    """Yield the text and the content of each good line, then warn of the damaged ones."""
    damaged = []
    content = path.read_bytes() if path.is_file() else b""  # a pipe would wait for a writer
    # The text after the last line break is an incomplete line.
    for number, text in enumerate(content.split(b"\n")[:-1], start=1):
        try:
            line = read_json(text)
            good = is_good(line, tables)
        except ValueError:
            good = False
        if good:
            yield text + b"\n", line
        else:
            damaged.append(number)
    if damaged:
        which = f"line {damaged[0]}" if len(damaged) == 1 else f"{len(damaged)} lines"
        are = "is" if len(damaged) == 1 else "are"
        warnings.warn(f"{which} of {path} {are} damaged and skipped", stacklevel=4)


def is_good(line: Any, tables: Sequence[str]) -> bool:
    """Return whether a line has a number of images, and tables of numbers."""
    if not isinstance(line, dict) or not _is_count(line.get("images")):
        return False
    entries = [line.get(table) for table in tables]
    return all(isinstance(e, dict) and all(map(_is_number, e.values())) for e in entries)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return not isinstance(value, int) or abs(value) < 2**1023  # JSON numbers of any length
