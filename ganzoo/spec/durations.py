"""Durations in text form, such as ``1h30m``."""

from __future__ import annotations

import re

from ganzoo.errors import RecipeError

_SECONDS = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0}
_PART = r"(\d+(?:\.\d+)?)([dhms])"


def parse_duration(text: str) -> float:
    """Return the number of seconds of a duration in text form.

    >>> parse_duration("3h"), parse_duration("1h30m"), parse_duration("0.5s")
    (10800.0, 5400.0, 0.5)

    Raises:
        RecipeError: the text is not a duration, or the duration is 0.
    """
    compact = re.sub(r"\s", "", text)
    parts = re.findall(_PART, compact) if re.fullmatch(f"(?:{_PART})+", compact) else []
    seconds = sum(float(n) * _SECONDS[unit] for n, unit in parts)
    if not seconds:
        raise RecipeError(f"{text!r} is not a duration. Write 3h, 90m, 1h30m or 45s.")
    return seconds
