"""Files of JSON lines: the log and the metrics of a run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganzoo.bundle.files import reporting_output, write_file


def add_line(path: Path, line: Mapping[str, Any]) -> None:
    """Append one line.

    Raises:
        OutputError: the file cannot be written.
    """
    with reporting_output(path), path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return all lines; an empty list if there is no file."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def cut_back(path: Path, images_seen: int) -> None:
    """Remove lines beyond `images_seen`, and an incomplete last line, of a killed run.

    Raises:
        OutputError: the file cannot be written.
    """
    if not path.exists():
        return
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    complete = [x for x in lines if x.endswith("\n") and json.loads(x)["images"] <= images_seen]
    write_file(path, "".join(complete))
