"""A value and its standard error."""

from __future__ import annotations

from typing import NamedTuple


class Estimate(NamedTuple):
    """A value that is estimated from random samples.

    Attributes:
        value: the estimate.
        error: the standard error, in the unit of the value.
    """

    value: float
    error: float
