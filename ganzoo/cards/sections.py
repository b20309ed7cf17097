"""The sections of a Markdown text, and which of them are still to be written."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ganzoo.cards.header import split_header

_HEADING = re.compile(r"(#{1,6})\s+(.*\S)\s*")
_UNFINISHED = re.compile(r"\bTODO\b|\bFIXME\b|\bTBD\b|\[?(?i:more information needed)\]?")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


def find_unfinished(text: str) -> Iterator[str]:
    """Say in a sentence each which sections of a card are empty or still to be written."""
    for section in (sections := _sections(text)):
        if found := _UNFINISHED.search(f"{section.title}\n{section.text}"):
            yield (
                f"the card's section {section.title!r} still says {found[0]!r}: write it, or "
                "remove it."
            )
        elif not any(part.text.strip() for part in section.with_parts(sections)):
            yield f"the card's section {section.title!r} is empty: write it, or remove it."


@dataclass(frozen=True)
class _Section:
    number: int
    level: int
    title: str
    text: str  # up to the next heading of whatever level

    def with_parts(self, sections: list[_Section]) -> Iterator[_Section]:
        """Itself and its sub-sections."""
        yield self
        deeper = itertools.takewhile(lambda s: s.level > self.level, sections[self.number + 1 :])
        yield from deeper


def _sections(text: str) -> list[_Section]:
    """Every section, and before them one of all that precedes the first heading."""
    found = [_Section(0, 0, "(all)", "")]
    fenced = False
    for line in _COMMENT.sub("", split_header(text)[1]).splitlines():
        heading = None if fenced else _HEADING.fullmatch(line)
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        if heading:
            found.append(_Section(len(found), len(heading[1]), heading[2], ""))
        else:
            found[-1] = replace(found[-1], text=f"{found[-1].text}{line}\n")
    return found
