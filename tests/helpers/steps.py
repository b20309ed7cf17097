"""Steps of a page that need the ones before them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any


class Steps:
    """Steps that run in order and once, whichever tests are selected.

    Args:
        run: runs a step.
        steps: the arguments of `run` for each step.
    """

    def __init__(self, run: Callable[..., None], steps: Iterable[tuple[Any, ...]]) -> None:
        self._run = run
        self._left = deque(enumerate(steps))

    def run_to(self, number: int) -> None:
        """Run a step, after the ones before it that have not run."""
        while self._left and self._left[0][0] <= number:
            self._run(*self._left.popleft()[1])
