"""The base class of monitors, and what they report."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from ganzoo.errors import quantity

Line = Mapping[str, Any]  # a line of log.jsonl


class Monitor(ABC):
    """Looks for one failure of a training, such as mode collapse.

    A monitor reads the lines of the log in order and nothing else. So a resumed run rebuilds its
    monitors from log.jsonl.

    A plugin registers a function ``(training: ganzoo.training.Prepared) -> Monitor | None`` under
    ``ganzoo.monitors``. It returns None if the monitor does not fit the training. An error in a
    monitor does not end the training: ganzoo warns and switches the monitor off.

    Attributes:
        name: the failure, in a word or two.
        needs: entries of a line that `check` reads, such as ``gradient_norms``, ``metrics``,
            ``movement`` or ``samples``. Lines without them are skipped.
        begins: number of consecutive lines with the failure that start a finding.
        ends: number of consecutive lines without it that end the finding.
        remedy: options to try, for the text "Try {remedy}."
    """

    name: ClassVar[str]
    needs: ClassVar[tuple[str, ...]] = ()
    begins: ClassVar[int] = 1
    ends: ClassVar[int] = 1
    remedy: ClassVar[str] = ""

    @abstractmethod
    def check(self, line: Line) -> str:
        """Describe the failure that a line of the log shows.

        Args:
            line: one line of log.jsonl, with all the entries that `needs` names.

        Returns:
            What is wrong, with numbers; an empty text if nothing is wrong.
        """


@dataclass(frozen=True)
class Finding:
    """A monitor's report that a failure begins or ends.

    Attributes:
        monitor: name of the monitor.
        event: whether the failure begins or ends.
        since: images seen when it began.
        seen: what is wrong.
        remedy: options to try.
    """

    monitor: str
    event: Literal["begins", "ends"]
    since: int
    seen: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        if self.event == "ends":
            return f"{self.monitor}: over; it began at {quantity(self.since, 'image')}"
        advice = f" Try {self.remedy}." if self.remedy else ""
        return f"{self.monitor} since {quantity(self.since, 'image')}: {self.seen}.{advice}"
