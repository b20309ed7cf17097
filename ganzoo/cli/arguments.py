"""Types of command arguments, and their values."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any

import tyro

Text = tyro.conf.Positional[str]
Folder = tyro.conf.Positional[Path]
Output = Annotated[Path, tyro.conf.arg(aliases=["-o"])]
MaybeOutput = Annotated[Path | None, tyro.conf.arg(aliases=["-o"])]


def parse_value(text: str) -> Any:
    """Return the value that a text states in TOML, such as a number or ``true``; else the text."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
