"""Generated blocks of a Markdown text, each between two comments on lines of their own.

    <!-- ganzoo:begin facts -->
    ...
    <!-- ganzoo:end facts -->

All else is prose, which stays as it is to the byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ganzoo.errors import CardError, did_you_mean, enumerate_names

# Whatever looks like a fence has to be one: a misspelt one would turn a block into prose.
_ANY = re.compile(r"<!--\s*ganzoo:[^\n]*")
_FENCE = re.compile(r"^<!-- ganzoo:(begin|end) ([a-z][a-z-]*) -->[ \t]*\r?$", re.MULTILINE)


class Block(NamedTuple):
    """Where a block's content lies in the text: from the line after its first fence on."""

    name: str
    start: int
    end: int


def fence(name: str, content: str) -> str:
    """Return a block: its content on lines of its own between its two fences."""
    return f"<!-- ganzoo:begin {name} -->\n{_lines(content)}<!-- ganzoo:end {name} -->\n"


def find_blocks(text: str, known: Iterable[str]) -> list[Block]:
    """Return a text's blocks in their order.

    Args:
        text: Markdown.
        known: names that a block may have.

    Raises:
        CardError: a fence that is misspelt, or begins or ends no block: unbalanced, nested, twice
            in the text or of an unknown name. It says in which line.
    """
    known = list(known)
    fences = {match.start(): match for match in _FENCE.finditer(text)}
    found: list[Block] = []
    opened: re.Match[str] | None = None
    for start in (match.start() for match in _ANY.finditer(text)):
        if start not in fences:
            raise _error(text, start, "is no fence; one is `<!-- ganzoo:begin NAME -->` alone")
        match = fences[start]
        kind, name = match.groups()
        if name not in known:
            hint = did_you_mean(name, known) or f" Blocks: {enumerate_names(known)}."
            raise _error(text, start, f"names no block.{hint}")
        if kind == "begin" and opened:
            raise _error(text, start, f"begins inside of the block {opened[2]!r}: end that first")
        if kind == "begin" and name in (block.name for block in found):
            raise _error(text, start, "begins a block that the card has already: remove one")
        if kind == "end" and (opened is None or opened[2] != name):
            begun = f"the block {opened[2]!r} is open" if opened else "no block is open"
            raise _error(text, start, f"ends what was not begun: {begun}")
        if opened is None:
            opened = match
        else:
            found.append(Block(name, min(opened.end() + 1, start), start))
            opened = None
    if opened:
        raise _error(text, opened.start(), "begins a block that never ends")
    return found


def read_blocks(text: str, known: Iterable[str]) -> dict[str, str]:
    """Return the content of each block by its name.

    Raises:
        CardError: as for `find_blocks`.
    """
    return {block.name: text[block.start : block.end] for block in find_blocks(text, known)}


def replace_blocks(text: str, contents: Mapping[str, str], known: Iterable[str]) -> str:
    """Return the text with other contents in those of its blocks that are named.

    Raises:
        CardError: as for `find_blocks`; a content that holds a fence itself.
    """
    for name, content in contents.items():
        if found := _ANY.search(content):
            raise CardError(f"the block {name!r} would hold a fence itself: {found[0]!r}.")
    parts, end = [], 0
    for block in find_blocks(text, known):
        if block.name in contents:
            parts += [text[end : block.start], _lines(contents[block.name])]
            end = block.end
    return "".join([*parts, text[end:]])


def _lines(content: str) -> str:
    return content if content.endswith("\n") or not content else f"{content}\n"


def _error(text: str, start: int, what: str) -> CardError:
    line = text.count("\n", 0, start) + 1
    shown = text[start:].partition("\n")[0].strip()[:80]
    return CardError(f"line {line} of the card, {shown!r}, {what.removesuffix('.')}.")
