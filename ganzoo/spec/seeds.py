"""Seeds as a list of numbers and ranges."""

from __future__ import annotations

import re

from ganzoo.errors import SampleError
from ganzoo.spec.parsing import shorten

MAX_SAMPLES = 1_000_000

_SEEDS = re.compile(r"([0-9]{1,20})(?:-([0-9]{1,20}))?")


def parse_seeds(text: str, option: str = "--seeds") -> list[int]:
    """Return the seeds of a list of numbers and ranges, such as ``0-35`` or ``3,9,12``.

    Args:
        text: the list.
        option: the option that it is a value of, for messages.

    Raises:
        SampleError: the text has another form, or more than 1,000,000 seeds.
    """
    seeds: list[int] = []
    for part in text.split(","):
        match = _SEEDS.fullmatch(part.strip())
        first = int(match[1]) if match else 1
        last = int(match[2] or first) if match else 0
        if first > last:
            raise SampleError(
                f"{option} {shorten(text, 80)}: {shorten(part.strip(), 80)!r} is no seed or range "
                "of seeds. Use numbers and ranges, such as 0-35 or 3,9,12."
            )
        if len(seeds) + last - first >= MAX_SAMPLES:
            raise SampleError(
                f"{option} has more than {MAX_SAMPLES:,} seeds. Use -n and --out DIR."
            )
        seeds.extend(range(first, last + 1))
    return seeds
