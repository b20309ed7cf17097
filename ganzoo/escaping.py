"""Escape control characters in text of others, which could control a terminal."""

from __future__ import annotations

import unicodedata


def printable(text: str) -> str:
    """Return text with control characters escaped, such as ``\\x1b`` and ``\\u202e``.

    These are the characters of terminal sequences and of bidirectional text. Line feeds, tabs and
    all spaces are kept.
    """
    if text.isprintable():
        return text
    return "".join(c if _is_printable(c) else c.encode("unicode_escape").decode() for c in text)


def _is_printable(character: str) -> bool:
    return character.isprintable() or character in "\n\t" or unicodedata.category(character) == "Zs"
