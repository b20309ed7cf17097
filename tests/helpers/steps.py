"""Steps of a page that need the ones before them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any


class Steps:
    """Steps that run in order and once, whichever tests are selected.

    Args:
        run: runs a step.
        steps: the arguments of `run` for each step.
        unneeded: numbers of the steps that no other step needs.
    """

    def __init__(
        self,
        run: Callable[..., None],
        steps: Sequence[tuple[Any, ...]],
        unneeded: Collection[int] = (),
    ) -> None:
        self._run = run
        self._left = dict(enumerate(steps))
        self._unneeded = unneeded

    def run_to(self, number: int) -> None:
        """Run a step, after the ones before it that it needs and that have not run."""
        for k in range(number + 1):
            if k in self._left and (k == number or k not in self._unneeded):
                self._run(*self._left.pop(k))
