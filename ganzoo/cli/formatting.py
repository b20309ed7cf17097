"""Format values for the output of commands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ganzoo.errors import shell_word


def is_parity(key: str) -> bool:
    """Return whether a field of the provenance holds the difference between the runtimes."""
    return key.endswith("parity")


def brief(value: Any) -> str:
    """Return a value as short text for one line."""
    match value:
        case float():
            return f"{value:.3g}"
        case list():
            return " and ".join(map(str, value))
    return str(value)


def as_folder(path: Path) -> str:
    """Return a folder as a model name in a command, with ./ if it could be a registered name."""
    text = str(path)
    return shell_word(text if path.is_absolute() or text.startswith(".") else f"./{text}")
