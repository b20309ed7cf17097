"""The sections of a Markdown text, and which of them are unfinished."""

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
    """Yield one sentence for each section of a card that is empty or unfinished."""
    for section in (sections := _sections(text)):
        if match := _UNFINISHED.search(f"{section.title}\n{section.text}"):
            yield (
                f"the card's section {section.title!r} still says {match[0]!r}. Complete the "
                "section or remove it."
            )
        elif not any(part.text.strip() for part in section.with_parts(sections)):
            yield f"the card's section {section.title!r} is empty. Write the section or remove it."


@dataclass(frozen=True)
class _Section:
    number: int
    level: int
    title: str
    text: str  # up to the next heading of any level

    def with_parts(self, sections: list[_Section]) -> Iterator[_Section]:
        """Yield this section and its subsections."""
        yield self
        deeper = itertools.takewhile(lambda s: s.level > self.level, sections[self.number + 1 :])
        yield from deeper


def _sections(text: str) -> list[_Section]:
    """Return every section; the first one holds the text before the first heading."""
    sections = [_Section(0, 0, "(all)", "")]
    fenced = False
    for line in _COMMENT.sub("", split_header(text)[1]).splitlines():
        heading = None if fenced else _HEADING.fullmatch(line)
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        if heading:
            sections.append(_Section(len(sections), len(heading[1]), heading[2], ""))
        else:
            sections[-1] = replace(sections[-1], text=f"{sections[-1].text}{line}\n")
    return sections
