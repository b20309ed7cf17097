"""The header of a card: YAML between two lines of dashes, which the Hub reads."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

import yaml
from yaml.composer import ComposerError
from yaml.constructor import ConstructorError

from ganzoo.errors import MALFORMED, CardError
from ganzoo.spec.parsing import shorten

_DASHES = r"^---[ \t]*\r?"
_BEGIN = re.compile(rf"{_DASHES}\n")
_END = re.compile(rf"{_DASHES}(?:\n|\Z)", re.MULTILINE)
_WIDTH = 1_000  # characters of a line, so that each metric stays on one line
_MAX_HEADER = 2**16  # characters: YAML takes a second for 100,000
_MAX_INTEGER = 2**63
_BOOL, _INT, _FLOAT = (f"tag:yaml.org,2002:{kind}" for kind in ("bool", "int", "float"))
_AMBIGUOUS = frozenset([_BOOL, _INT, _FLOAT])

Metadata = dict[str, Any]


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # the package has no types
    """Loads YAML that every parser reads alike and whose text is no larger than its source.

    A few aliases of aliases repeat a value billions of times. Of a repeated key, one parser takes
    the first value, another the last. A value without quotes that is a truth value or a number in
    one version of YAML and a text in another, such as ``no``, 012 or 12:30, is a text, which
    `_dump` writes with quotes.
    """

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's name
        first: [pair for pair in pairs if pair[0] not in _AMBIGUOUS]
        for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Return a node; refuse an alias."""
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()
            raise ComposerError(
                None, None, f"it has the alias {event.anchor!r}; write the value", event.start_mark
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """Return a mapping; refuse a repeated key."""
        count = Counter(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
        if repeated := [key for key, times in count.items() if times > 1]:
            raise ConstructorError(
                None, None, f"it has the key {repeated[0]!r} more than once", node.start_mark
            )
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping

    def construct_yaml_int(self, node: Any) -> int:
        """Return an integer; refuse one that is too long to print."""
        number = int(str(self.construct_scalar(node)), 0)
        if abs(number) >= _MAX_INTEGER:
            raise ConstructorError(None, None, "a number is too large", node.start_mark)
        return number


_Loader.add_constructor(_INT, _Loader.construct_yaml_int)
for _tag, _pattern, _first in (
    (_BOOL, r"true|True|TRUE|false|False|FALSE", "tTfF"),
    (_INT, r"[-+]?(?:0|[1-9][0-9]*|0x[0-9a-fA-F]+)", "-+0123456789"),
    (
        _FLOAT,
        r"[-+]?[0-9]+\.[0-9]*(?:[eE][-+][0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        "-+.0123456789",
    ),
):
    _Loader.add_implicit_resolver(_tag, re.compile(rf"^(?:{_pattern})$"), list(_first))


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
        CardError: the header is not valid YAML, has an alias, a repeated key or a number of more
            than 63 bits, is too long, or is not a mapping of fields.
    """
    _, content, _ = _split(text)
    if len(content) > _MAX_HEADER:
        raise CardError(
            f"the card's header has {len(content):,} characters; the limit is {_MAX_HEADER:,}. "
            "Shorten it."
        )
    try:
        fields = yaml.load(content, _Loader)
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
