"""Format values for the output of commands."""

from __future__ import annotations

from typing import Any


def brief(value: Any) -> str:
    """Return a value as short text for one line."""
    match value:
        case float():
            return f"{value:.3g}"
        case list():
            return " and ".join(map(str, value))
    return str(value)
