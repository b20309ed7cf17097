"""The sections of a Markdown text, and which of them are unfinished."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ganzoo.cards.header import split_header

_HEADING = re.compile(r"#{1,6}(?=\s)")
_UNFINISHED = re.compile(r"\bTODO\b|\bFIXME\b|\bTBD\b|\[?(?i:more information needed)\]?")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)  # as in HTML, an open one hides the rest


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
    lines: list[str] = field(default_factory=list)  # up to the next heading of any level

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def with_parts(self, sections: list[_Section]) -> Iterator[_Section]:
        """Yield this section and its subsections."""
        yield self
        following = (sections[k] for k in range(self.number + 1, len(sections)))
        yield from itertools.takewhile(lambda s: s.level > self.level, following)


def _sections(text: str) -> list[_Section]:
    """Return every section; the first one holds the text before the first heading."""
    sections = [_Section(0, 0, "(all)")]
    fenced = False
    for line in _COMMENT.sub("", split_header(text)[1]).splitlines():
        heading = None if fenced else _HEADING.match(line)
        title = line[heading.end() :].strip() if heading else ""
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        if heading and title:
            sections.append(_Section(len(sections), len(heading[0]), title))
        else:
            sections[-1].lines.append(line)
    return sections
