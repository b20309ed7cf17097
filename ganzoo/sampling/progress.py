"""Show the progress of a command that writes many images."""

from __future__ import annotations

import sys
import time

from ganzoo.errors import quantity
from ganzoo.system.bars import rewrites_lines
from ganzoo.system.terminal import print_error

INTERVAL = 10.0  # seconds between two lines that are not in a terminal


def format_rate(rate: float) -> str:
    """Return images per second as text, with a decimal below 10."""
    return f"{rate:,.{0 if rate >= 10 else 1}f} images/s"


class Progress:
    """A progress line on stderr: rewritten in a terminal, otherwise printed every 10 seconds.

    The base install lacks tqdm. All processes have equal shares, so the remaining time is that of
    one process, and the total rate is the rate of one process times their number.
    """

    def __init__(self, total: int, processes: int, visible: bool) -> None:
        """Start the time.

        Args:
            total: images that this process writes.
            processes: number of processes.
            visible: whether to print.
        """
        self._total, self._processes, self._visible = total, processes, visible and total > 0
        self._terminal = rewrites_lines()
        self._done = 0.0
        self._is_shown = False
        self._since = self._last = time.perf_counter()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._visible and self._terminal and (self._is_shown or self._total > 1):
            self._show()
            print_error()

    def update(self, images: int) -> None:
        """Count images, and print the line if it is due."""
        self._done = int(self._done) + images
        self._print_if_due()

    def advance(self, share: float) -> None:
        """Count a share of the next image, which `update` counts whole."""
        self._done = int(self._done) + min(share, 0.999)
        self._print_if_due()

    def _print_if_due(self) -> None:
        now = time.perf_counter()
        if self._visible and now - self._last >= (0.2 if self._terminal else INTERVAL):
            self._last = now
            self._show()

    def _show(self) -> None:
        self._is_shown = True
        rate = self._done / max(time.perf_counter() - self._since, 1e-9)
        left = int((self._total - self._done) / max(rate, 1e-9)) if self._done else 0
        text = f"{int(self._done):,} of {quantity(self._total, 'image')}, {format_rate(rate)}"
        if self._total == 1:
            text = f"{int(100 * self._done)} %"
        if self._processes > 1:
            total = format_rate(rate * self._processes).removesuffix(" images/s")
            text = f"process 0: {text}; all {self._processes}: {total}"
        text += f", {left // 3600}:{left // 60 % 60:02d}:{left % 60:02d} left"
        if self._terminal:
            sys.stderr.write("\r")
            print_error(f"{text:<79}", end="", flush=True)
        else:
            print_error(text, flush=True)
