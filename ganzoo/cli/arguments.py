"""Types of command arguments, and their values."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Annotated, Any

import docstring_parser
import tyro

from ganzoo.errors import SampleError
from ganzoo.registry.docstrings import docstring_of
from ganzoo.spec.parsing import shorten

MAX_SAMPLES = 1_000_000

_SEEDS = re.compile(r"([0-9]{1,20})(?:-([0-9]{1,20}))?")

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


def parse_seeds(text: str, option: str = "--seeds") -> list[int]:
    """Return the seeds of a list of numbers and ranges, such as ``0-35`` or ``3,9,12``.

    Args:
        text: the list.
        option: the option that it is a value of, for messages.

    Raises:
        SampleError: the text has another form, or more than 1,000,000 seeds.
    """
    seeds: list[int] = []
    for part in text.split(","):
        match = _SEEDS.fullmatch(part.strip())
        first = int(match[1]) if match else 1
        last = int(match[2] or first) if match else 0
        if first > last:
            raise SampleError(
                f"{option} {shorten(text, 80)}: {shorten(part.strip(), 80)!r} is no seed or range "
                "of seeds. Use numbers and ranges, such as 0-35 or 3,9,12."
            )
        if len(seeds) + last - first >= MAX_SAMPLES:
            raise SampleError(
                f"{option} has more than {MAX_SAMPLES:,} seeds. Use -n and --out DIR."
            )
        seeds.extend(range(first, last + 1))
    return seeds


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
