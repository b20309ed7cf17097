"""The first and the last line of the failures that a monitor reports."""

from __future__ import annotations

from ganzoo.training.monitors.monitor import Finding, Line, Monitor


class Episode:
    """Follows one monitor.

    A failure begins after `Monitor.begins` consecutive lines that show it, and ends after
    `Monitor.ends` consecutive lines that do not.

    Args:
        monitor: the monitor.

    Attributes:
        active: whether the failure lasts.
        since: images seen at the first line that shows the failure.
    """

    def __init__(self, monitor: Monitor) -> None:
        self.monitor = monitor
        self.active = False
        self.since = 0
        self._contrary = 0  # consecutive lines that contradict `active`

    def read(self, line: Line) -> Finding | None:
        """Read the next line; return the finding that begins or ends with it, if any."""
        if not all(line.get(entry) for entry in self.monitor.needs):
            return None
        problem = self.monitor.check(line)
        if bool(problem) == self.active:
            self._contrary = 0
            return None
        self._contrary += 1
        if not self.active and self._contrary == 1:
            self.since = line["images"]
        if self._contrary < (self.monitor.ends if self.active else self.monitor.begins):
            return None
        self.active, self._contrary = not self.active, 0
        if self.active:
            remedy = self.monitor.remedy
            return Finding(self.monitor.name, "begins", self.since, str(problem), remedy)
        return Finding(self.monitor.name, "ends", self.since)
