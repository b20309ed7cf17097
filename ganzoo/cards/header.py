"""The header of a card: YAML between two lines of dashes, which the Hub reads."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import Any

import yaml

from ganzoo.errors import MALFORMED, CardError
from ganzoo.spec.parsing import shorten

_DASHES = r"^---[ \t]*\r?"
_BEGIN = re.compile(rf"{_DASHES}\n")
_END = re.compile(rf"{_DASHES}(?:\n|\Z)", re.MULTILINE)
_WIDTH = 1_000  # characters of a line, so that each metric stays on one line

Metadata = dict[str, Any]


def split_header(text: str) -> tuple[str, str]:
    """Return a card's header with its dashes (empty if it has none) and the text after it."""
    header, _, body = _split(text)
    return header, body


def _split(text: str) -> tuple[str, str, str]:
    """Return the header with its dashes, the YAML between them, and the text after it."""
    begin = _BEGIN.match(text)
    end = _END.search(text, begin.end()) if begin else None
    if begin is None or end is None:
        return "", "", text
    return text[: end.end()], text[begin.end() : end.start()], text[end.end() :]


def read_header(text: str) -> Metadata:
    """Return the fields of a card's header; empty if it has none.

    Raises:
        CardError: the header is not valid YAML, or not a mapping of fields.
    """
    _, content, _ = _split(text)
    try:
        fields = yaml.safe_load(content)
    except (yaml.YAMLError, *MALFORMED) as error:
        reason = shorten(" ".join(str(error).split()))
        raise CardError(
            f"the card's header is not valid YAML: {reason.removesuffix('.')}. Correct it."
        ) from error
    if fields is None:
        return {}
    if not isinstance(fields, dict):
        raise CardError(
            "the card's header is not a mapping of fields. Write fields such as `license: mit`."
        )
    return fields


def replace_header(text: str, metadata: Mapping[str, Any]) -> str:
    """Return the card with another header; an equal header keeps its formatting.

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
    """Return YAML with one line for each field and for each innermost list or mapping."""
    representer = yaml.SafeDumper(io.StringIO(), default_flow_style=None, sort_keys=False)
    root = representer.represent_data(dict(metadata))
    root.flow_style = False
    for readable in (True, False):
        text = yaml.serialize(root, Dumper=yaml.SafeDumper, width=_WIDTH, allow_unicode=readable)
        if yaml.safe_load(text) == metadata:  # a Unicode line separator must be escaped
            break
    return str(text)
