"""A card's header: the YAML between two lines of dashes that the Hub reads."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import Any

import yaml

from ganzoo.errors import CardError

_DASHES = r"---[ \t]*\r?"
_HEADER = re.compile(rf"\A{_DASHES}\n(?P<yaml>(?:(?!{_DASHES}$).*\n)*){_DASHES}(?:\n|\Z)", re.M)
_WIDTH = 1_000  # of a line: a metric stays on one

Metadata = dict[str, Any]


def split_header(text: str) -> tuple[str, str]:
    """Return a card's header with its dashes, empty where it has none, and all after it."""
    match = _HEADER.match(text)
    return (match[0], text[match.end() :]) if match else ("", text)


def read_header(text: str) -> Metadata:
    """Return what a card's header states, nothing where it has none.

    Raises:
        CardError: it is no YAML, or no table of fields.
    """
    match = _HEADER.match(text)
    try:
        stated = yaml.safe_load(match["yaml"]) if match else None
    except (yaml.YAMLError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise CardError(f"the card's header is not valid YAML: {reason}") from error
    if stated is None:
        return {}
    if not isinstance(stated, dict):
        raise CardError("the card's header holds no fields such as `license: mit`.")
    return stated


def replace_header(text: str, metadata: Mapping[str, Any]) -> str:
    """Return the card with another header; one that states the same already stays as it is.

    Raises:
        CardError: as for `read_header`.
    """
    header, body = split_header(text)
    if header and read_header(text) == metadata:
        return text
    dumped = _dump(metadata)
    gap = "" if header else "\n"
    return f"---\n{dumped}---\n{gap}{body}"


def _dump(metadata: Mapping[str, Any]) -> str:
    """YAML with a line for each field, and for each innermost list and table."""
    representer = yaml.SafeDumper(io.StringIO(), default_flow_style=None, sort_keys=False)
    root = representer.represent_data(dict(metadata))
    root.flow_style = False
    for readable in (True, False):
        text = yaml.serialize(root, Dumper=yaml.SafeDumper, width=_WIDTH, allow_unicode=readable)
        if yaml.safe_load(text) == metadata:  # a line separator of Unicode's needs its escape
            break
    return str(text)
