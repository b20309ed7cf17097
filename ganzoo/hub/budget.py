"""The time that an operation on the Hub may take without progress, all its tries together."""

from __future__ import annotations

import math
import os
import time

from ganzoo.errors import HubError

VARIABLE = "GANZOO_HUB_TIMEOUT"
SECONDS = 15.0  # unless the variable is set


class Budget:
    """The seconds that an operation may take without progress.

    Progress is a response to a request that sends data, or a byte beyond those that earlier tries
    received or sent.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._since = time.monotonic()
        self._reached: dict[str, int] = {}

    def progress(self) -> None:
        """Grant the whole time again."""
        self._since = time.monotonic()

    def reach(self, transfer: str, position: int) -> None:
        """Grant the whole time again if no earlier try of a transfer got as far.

        Args:
            transfer: identifies the content that all tries transfer.
            position: number of bytes.
        """
        if position > self._reached.get(transfer, 0):
            self._reached[transfer] = position
            self.progress()

    @property
    def left(self) -> float:
        """Seconds that are left, at least 0."""
        return max(0.0, self._since + self.seconds - time.monotonic())


def limit() -> float:
    """Return the seconds without progress: GANZOO_HUB_TIMEOUT, or 15.

    Raises:
        HubError: the variable is not a number above 0.
    """
    text = os.environ.get(VARIABLE, "")
    try:
        seconds = float(text or SECONDS)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise HubError(
            f"{VARIABLE} is {text[:40]!r}, which is not a number of seconds above 0. Set one, such "
            "as 60, or unset it."
        )
    return seconds


def describe_limit() -> str:
    """Return a sentence on the limit, for messages."""
    return f"ganzoo gives up after {limit():g} seconds without progress; {VARIABLE} sets the limit."
