"""Generated blocks of a Markdown text, each between two fences.

A fence is a comment on a line of its own:

    <!-- ganzoo:begin facts -->
    ...
    <!-- ganzoo:end facts -->

All other text is prose. It is kept byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ganzoo.errors import CardError, did_you_mean, enumerate_names

# Any comment that starts like a fence must be one: a misspelt fence would turn a block into prose.
_ANY = re.compile(r"<!--\s*ganzoo:[^\n]*")
_FENCE = re.compile(r"^<!-- ganzoo:(begin|end) ([a-z][a-z-]*) -->[ \t]*\r?$", re.MULTILINE)


class Block(NamedTuple):
    """Position of a block's content in the text; it starts on the line after the first fence."""

    name: str
    start: int
    end: int


def fence(name: str, content: str) -> str:
    """Return a block: the content between its two fences."""
    return f"<!-- ganzoo:begin {name} -->\n{_lines(content)}<!-- ganzoo:end {name} -->\n"


def find_blocks(text: str, known: Iterable[str]) -> list[Block]:
    """Return the blocks of a text, in order.

    Args:
        text: Markdown.
        known: valid names of blocks.

    Raises:
        CardError: a fence is misspelt, unbalanced, nested, repeated or has an unknown name. The
            message states the line.
    """
    known = list(known)
    fences = {match.start(): match for match in _FENCE.finditer(text)}
    blocks: list[Block] = []
    opened: re.Match[str] | None = None
    for start in (match.start() for match in _ANY.finditer(text)):
        if start not in fences:
            raise _error(
                text,
                start,
                "is not a valid fence. Write `<!-- ganzoo:begin NAME -->` alone on a line",
            )
        match = fences[start]
        kind, name = match.groups()
        if name not in known:
            hint = did_you_mean(name, known) or f" Blocks: {enumerate_names(known)}."
            raise _error(text, start, f"names an unknown block.{hint}")
        if kind == "begin" and opened:
            raise _error(
                text, start, f"begins inside the block {opened[2]!r}. End that block first"
            )
        if kind == "begin" and name in (block.name for block in blocks):
            raise _error(
                text, start, "begins a block that the card already has. Remove one of them"
            )
        if kind == "end" and (opened is None or opened[2] != name):
            state = f"the block {opened[2]!r} is open" if opened else "no block is open"
            raise _error(text, start, f"ends a block that is not open: {state}. Remove the line")
        if opened is None:
            opened = match
        else:
            blocks.append(Block(name, min(opened.end() + 1, start), start))
            opened = None
    if opened:
        raise _error(
            text,
            opened.start(),
            f"begins a block that has no end. Add `<!-- ganzoo:end {opened[2]} -->`",
        )
    return blocks


def read_blocks(text: str, known: Iterable[str]) -> dict[str, str]:
    """Return the content of each block by its name.

    Raises:
        CardError: as for `find_blocks`.
    """
    return {block.name: text[block.start : block.end] for block in find_blocks(text, known)}


def replace_blocks(text: str, contents: Mapping[str, str], known: Iterable[str]) -> str:
    """Return the text with new contents in the named blocks.

    Raises:
        CardError: as for `find_blocks`; or a new content contains a fence.
    """
    for name, content in contents.items():
        if match := _ANY.search(content):
            raise CardError(
                f"the new content of the block {name!r} contains a fence: {match[0]!r}. "
                "Remove it from the config."
            )
    parts, end = [], 0
    for block in find_blocks(text, known):
        if block.name in contents:
            parts += [text[end : block.start], _lines(contents[block.name])]
            end = block.end
    return "".join([*parts, text[end:]])


def _lines(content: str) -> str:
    return content if content.endswith("\n") or not content else f"{content}\n"


def _error(text: str, start: int, fault: str) -> CardError:
    line = text.count("\n", 0, start) + 1
    content = text[start:].partition("\n")[0].strip()[:80]
    return CardError(f"line {line} of the card, {content!r}, {fault.removesuffix('.')}.")
