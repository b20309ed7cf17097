"""Types of command arguments, and their values."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any

import docstring_parser
import tyro

from ganzoo.registry.docstrings import docstring_of

Text = tyro.conf.Positional[str]
Folder = tyro.conf.Positional[Path]
Output = Annotated[Path, tyro.conf.arg(aliases=["-o"])]
MaybeOutput = Annotated[Path | None, tyro.conf.arg(aliases=["-o"])]


def helps_of(documented: Any) -> dict[str, str]:
    """Return the descriptions of parameters in a docstring, by name, as help of options."""
    parsed = docstring_parser.parse(docstring_of(documented))
    return {
        part.strip(): " ".join((parameter.description or "").split()).replace("``", "'")
        for parameter in parsed.params
        for part in parameter.arg_name.split(",")
    }


def parse_value(text: str) -> Any:
    """Return the value that a text states in TOML, such as a number or ``true``; else the text."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
