"""Exploding gradients."""

from __future__ import annotations

from collections import defaultdict, deque
from statistics import median

from ganzoo.training.monitors.monitor import Line, Monitor
from ganzoo.training.prepared import Prepared

FACTOR = 1e3  # a norm above this multiple of the median has exploded
KNOWN = 5  # norms that the median needs at least
REMEMBERED = 101  # the most recent norms, of which the median is taken


def exploding_gradients(training: Prepared) -> ExplodingGradients:
    """Return the monitor of exploding gradients, which fits every training."""
    return ExplodingGradients()


class ExplodingGradients(Monitor):
    """The norm of a player's gradient is a thousand times its median.

    "On the difficulty of training Recurrent Neural Networks" (Pascanu et al., 2013), sections 2 and
    3.2, https://arxiv.org/abs/1211.5063, which also describes the remedy. The median excludes
    norms that have exploded.
    """

    name = "exploding gradients"
    needs = ("gradient_norms",)
    begins, ends = 1, 20
    remedy = (
        "--optimizer.clip-norm 1, a lower --optimizer.lr, a --optimizer.warmup of 10000 images, or "
        "a penalty (--loss.r1 1)"
    )

    def __init__(self) -> None:
        self._usual: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=REMEMBERED))

    def check(self, line: Line) -> str:
        """Name the players whose gradients have exploded."""
        problems = []
        for player, norm in line["gradient_norms"].items():
            norms = self._usual[player]
            if len(norms) >= KNOWN and norm > FACTOR * median(norms):
                problems.append(
                    f"the {player}'s gradient has norm {norm:.1e}, its median was "
                    f"{median(norms):.1e}"
                )
            elif norm > 0:  # a zero gradient is not a usual norm
                norms.append(norm)
        return " and ".join(problems)
