"""How commands print values."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def is_parity(key: str) -> bool:
    """Whether a field of the provenance says how far the runtimes differ on a network."""
    return key.endswith("parity")


def brief(value: Any) -> str:
    """Return a value as it fits into a line."""
    match value:
        case float():
            return f"{value:.3g}"
        case list():
            return " and ".join(map(str, value))
    return str(value)


def as_folder(path: Path) -> str:
    """Return a folder as a model's name: with ./ where it would be taken for a registered one."""
    text = str(path)
    return text if path.is_absolute() or text.startswith(".") else f"./{text}"
