"""Files of metadata beside image files: each column and each image has one value."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from pathlib import Path

from ganzoo.errors import DataError

NAMES = ("metadata.csv", "metadata.jsonl")
IMAGE = "file_name"  # the column that names the image


def check_metadata(file: Path) -> None:
    """Check that a file of metadata has no column twice, and names no image twice.

    A file that cannot be parsed is left to its reader.

    Raises:
        DataError: a column or an image is there twice: only one of the values would be used.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            if file.suffix == ".csv":
                columns, *rows = csv.reader(text)
                place = columns.index(IMAGE)
                images = [row[place] for row in rows if row]
            else:
                columns, images = [], []
                for line in filter(str.strip, text):
                    pairs = json.loads(line, object_pairs_hook=list)
                    columns = columns if _repeated(columns) else [key for key, _ in pairs]
                    images.append(dict(pairs)[IMAGE])
    except (OSError, ValueError, LookupError, TypeError):
        return
    for kind, names in (("column", columns), ("image", images)):
        if name := _repeated(names):
            raise DataError(
                f"{file} has the {kind} {name!r} more than once. Remove all but one of them."
            )


def _repeated(names: Iterable[str]) -> str:
    """Return the first name that is there twice, or an empty text."""
    known: set[str] = set()
    for name in names:
        if name in known:
            return name
        known.add(name)
    return ""
