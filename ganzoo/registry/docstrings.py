"""Docstrings, also under ``python -OO``, which removes them: they are help texts and citations."""

from __future__ import annotations

import ast
import inspect
import re
import sys
import textwrap
from dataclasses import dataclass
from typing import Any

_SECTIONS = re.compile(r"\n(?:Args|Attributes|Raises|Returns|Example|Examples|Yields):\n")
_SENTENCE = re.compile(r"(?<=\.)\s+(?=[A-Z\"])")
_AUTHORS = re.compile(
    r"([A-Z][\w'-]+(?: et al\.| and (?:[A-Z][\w'-]+ )*[A-Z][\w'-]+)?)(?:,| \() ?((?:19|20)\d\d)\b"
)
_URL = re.compile(r"https?://[^\s()\"]+[^\s()\"'.,:;]")
_DOI = re.compile(r"\bdoi:(10\.\S+[^\s.,:;)])")
_CITATION = re.compile(
    r" \([^()]*(?:https?://|(?:19|20)\d\d)[^()]*\)"
    r"|,? (?:https?://|doi:)[^\s()]+\w(?:, (?:table|figure|section|equation|appendi)\w* [^.:;]+)?"
)
_PAPERS = ("arxiv.org", "doi.org", "openreview.net", "proceedings.")


@dataclass(frozen=True)
class Description:
    """What a docstring states before its sections, such as ``Args:``.

    Attributes:
        summary: the first sentence, without its citation.
        text: the paragraphs, one line each; a formula keeps its lines.
        formula: the lines of its indented blocks.
        authors: authors and year of the first paper, such as ``Lim and Ye, 2017``; empty if none.
        url: address of the first paper; empty if none.
    """

    summary: str
    text: str
    formula: str
    authors: str
    url: str

    @property
    def paper(self) -> str:
        """The authors, the year and the address of the paper; empty without a paper."""
        return ", ".join(filter(None, (self.authors, self.url)))


def read_description(docstring: str) -> Description:
    """Return the parts of a docstring that explain its object."""
    text = _SECTIONS.split(f"\n{inspect.cleandoc(docstring)}\n")[0].strip()
    blocks = [block.rstrip() for block in re.split(r"\n\s*\n", text)]
    formulas = [block for block in blocks if block.startswith("    ")]
    paragraphs = [
        textwrap.indent(textwrap.dedent(block), "    ")
        if block in formulas
        else " ".join(block.split())
        for block in blocks
    ]
    prose = " ".join(block for block in paragraphs if not block.startswith("    "))
    authors = _AUTHORS.search(prose)
    urls = [url for url in _URL.findall(prose) if any(site in url for site in _PAPERS)]
    urls += [f"https://doi.org/{doi}" for doi in _DOI.findall(prose)]
    return Description(
        summary=_summarise(first_sentence(text)),
        text="\n\n".join(paragraphs).replace("``", "`"),
        formula="\n".join(textwrap.dedent(block) for block in formulas),
        authors=f"{authors[1]}, {authors[2]}" if authors else "",
        url=urls[0] if urls else "",
    )


def first_sentence(docstring: str) -> str:
    """Return the first sentence of a docstring, in one line."""
    paragraph = re.split(r"\n\s*\n", docstring.strip())[0]
    return _SENTENCE.split(" ".join(paragraph.split()))[0]


def _summarise(sentence: str) -> str:
    """Return a sentence without citations, as a description."""
    sentence = _CITATION.sub("", sentence).replace("``", "`")
    return re.sub(r"^Return (?:the |an? )?(\w)", lambda match: match[1].upper(), sentence)


def docstring_of(thing: Any) -> str:
    """Return the docstring of a function or class without its indentation; empty if it has none."""
    # A dataclass without a docstring gets its signature as one.
    text = _read_source(inspect.unwrap(thing)) if sys.flags.optimize >= 2 else ""
    return inspect.cleandoc(text or getattr(thing, "__doc__", None) or "")


def _read_source(thing: Any) -> str:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(thing)))
    except (OSError, TypeError, SyntaxError):  # there is no source
        return ""
    (node,) = tree.body
    if not isinstance(node, ast.FunctionDef | ast.ClassDef):
        return ""
    return ast.get_docstring(node) or ""
