"""From what monitors see in single lines to what begins and ends."""

from __future__ import annotations

from ganzoo.training.monitors.monitor import Finding, Line, Monitor


class Episode:
    """Follows one monitor: what it sees counts once it has been seen for some lines in a row."""

    def __init__(self, monitor: Monitor) -> None:
        self.monitor = monitor
        self.active = False
        self.since = 0  # images at the first line of those that say otherwise, or of the episode
        self._otherwise = 0  # lines in a row that say otherwise than `active`

    def read(self, line: Line) -> Finding | None:
        """Take in the next line; return what begins or ends with it."""
        if not all(line.get(entry) for entry in self.monitor.needs):
            return None
        seen = self.monitor.see(line)
        if bool(seen) == self.active:
            self._otherwise = 0
            return None
        self._otherwise += 1
        if not self.active and self._otherwise == 1:
            self.since = line["images"]
        if self._otherwise < (self.monitor.ends if self.active else self.monitor.begins):
            return None
        self.active, self._otherwise = not self.active, 0
        if self.active:
            return Finding(
                self.monitor.name, "begins", self.since, seen=seen, remedy=self.monitor.remedy
            )
        return Finding(self.monitor.name, "ends", self.since)
