"""A figure, and how far chance may have moved it."""

from __future__ import annotations

from typing import NamedTuple


class Estimate(NamedTuple):
    """A figure that other samples would have made different.

    Attributes:
        value: the estimate.
        error: its standard error, in the same unit.
    """

    value: float
    error: float
