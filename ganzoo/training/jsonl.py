"""Files of JSON lines that a run adds to: its log and its metrics."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganzoo.bundle.files import reporting_output, write_file


def add_line(path: Path, line: Mapping[str, Any]) -> None:
    """Write one more line.

    Raises:
        OutputError: it cannot be written.
    """
    with reporting_output(path), path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return all lines; none where there is no file."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def cut_back(path: Path, images_seen: int) -> None:
    """Drop the lines beyond `images_seen`, and one cut off, that a killed run left.

    Raises:
        OutputError: it cannot be written.
    """
    if not path.exists():
        return
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [x for x in lines if x.endswith("\n") and json.loads(x)["images"] <= images_seen]
    write_file(path, "".join(kept))
