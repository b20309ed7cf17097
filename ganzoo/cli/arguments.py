"""Types of command arguments, and their values."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Annotated, Any

import docstring_parser
import tyro

from ganzoo.errors import SampleError
from ganzoo.registry.docstrings import docstring_of
from ganzoo.spec.parsing import shorten

# A flag has one form, and no option accepts Python's None: it is omitted.
PARSING = (tyro.conf.FlagCreatePairsOff, tyro.conf.DisallowNone)

Text = tyro.conf.Positional[str]
Folder = tyro.conf.Positional[Path]
Output = Annotated[Path, tyro.conf.arg(aliases=["-o"])]


def helps_of(documented: Any) -> dict[str, str]:
    """Return the descriptions of parameters in a docstring, by name, as help of options."""
    parsed = docstring_parser.parse(docstring_of(documented))
    return {
        part.strip(): " ".join((parameter.description or "").split()).replace("``", "'")
        for parameter in parsed.params
        for part in parameter.arg_name.split(",")
    }


def parse_options(texts: Sequence[str], as_text: Collection[str] = ()) -> dict[str, Any]:
    """Return the values of ``KEY=VALUE`` by key.

    Args:
        texts: the texts.
        as_text: keys whose values are text, whatever they look like.

    Raises:
        SampleError: a text has no ``=``.
    """
    pairs = [text.partition("=") for text in texts]
    for key, equals, _ in pairs:
        if not equals or not key:
            raise SampleError(f"{shorten(key, 80)!r} is no KEY=VALUE, such as psi=0.7.")
    values = {key.replace("-", "_"): value for key, _, value in pairs}
    return {key: text if key in as_text else parse_value(text) for key, text in values.items()}


def parse_value(text: str) -> Any:
    """Return the value that a text states in TOML, such as a number or ``true``; else the text."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):  # of TOML, or a number of many digits
        return text
