"""What a monitor is, and what it finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

Line = Mapping[str, Any]  # a line of log.jsonl


class Monitor(Protocol):
    """Looks for one way in which trainings fail.

    It reads the lines of the log one after the other and nothing else, so that it can be rebuilt
    from log.jsonl when a run is resumed.

    Attributes:
        name: what it looks for, in a word or two.
        needs: entries that a line must have to be looked at; others are passed over.
        begins: in how many lines in a row something must be seen before it is reported.
        ends: in how many it must not be seen any more before that is.
        remedy: what to try.
    """

    name: ClassVar[str]
    needs: ClassVar[tuple[str, ...]]
    begins: ClassVar[int]
    ends: ClassVar[int]
    remedy: ClassVar[str]

    def see(self, line: Line) -> str:
        """Say what is wrong as of this line; an empty text where nothing is."""


@dataclass(frozen=True)
class Finding:
    """That something began to go wrong, or ended to.

    Attributes:
        monitor: name of the monitor.
        event: which of the two.
        since: images seen when it began.
        seen: what was seen.
        remedy: what to try.
    """

    monitor: str
    event: Literal["begins", "ends"]
    since: int
    seen: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        if self.event == "ends":
            return f"{self.monitor}: over; it began at {self.since:,} images"
        return f"{self.monitor} since {self.since:,} images: {self.seen}. Try {self.remedy}."
