"""Lengths of time as people write them."""

from __future__ import annotations

import re

from ganzoo.errors import RecipeError

_SECONDS = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0}
_PART = r"(\d+(?:\.\d+)?)([dhms])"


def parse_duration(text: str) -> float:
    """Return seconds.

    >>> parse_duration("3h"), parse_duration("1h30m"), parse_duration("0.5s")
    (10800.0, 5400.0, 0.5)

    Raises:
        RecipeError: it is no such length, or none at all.
    """
    compact = re.sub(r"\s", "", text)
    seconds = sum(float(n) * _SECONDS[unit] for n, unit in re.findall(_PART, compact))
    if not re.fullmatch(f"(?:{_PART})+", compact) or not seconds:
        raise RecipeError(f"{text!r} is no length of time: write 3h, 90m, 1h30m or 45s.")
    return seconds
