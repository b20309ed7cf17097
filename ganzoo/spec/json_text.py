"""Read JSON of others so that no two parsers read it differently."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any


def read_json(text: str | bytes) -> Any:
    """Return the value of a JSON text.

    Of two values of one key, some parsers keep the first and others the last, so a repeated key is
    an error. NaN and Infinity are numbers, as Python writes them.

    Args:
        text: the text; bytes are UTF-8.

    Raises:
        ValueError: the text is not JSON or not UTF-8, is nested too deeply, or repeats a key.
    """
    if isinstance(text, bytes | bytearray):
        text = text.decode()  # json would guess UTF-16 and UTF-32, too
    try:
        return json.loads(text, object_pairs_hook=_table)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table: dict[str, Any] = dict(pairs)
    if len(table) < len(pairs):
        repeated, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise ValueError(f"it has the key {repeated[:80]!r} more than once")
    return table
