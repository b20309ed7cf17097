"""Exploding gradients."""

from __future__ import annotations

from collections import defaultdict, deque
from statistics import median

from ganzoo.training.monitors.monitor import Line, Monitor

FACTOR = 1e3  # times its median from which on a norm has exploded
KNOWN = 5  # norms from which on their median says what is usual
REMEMBERED = 101  # norms that the median is over


class ExplodingGradients(Monitor):
    """A player's gradient is a thousand times as long as it usually was.

    "On the difficulty of training Recurrent Neural Networks" (Pascanu et al., 2013), sections 2 and
    3.2, https://arxiv.org/abs/1211.5063, which also has the remedy. What has exploded does not
    count for what is usual.
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

    def see(self, line: Line) -> str:
        """Say whose gradient has exploded."""
        seen = []
        for player, norm in line["gradient_norms"].items():
            norms = self._usual[player]
            if len(norms) >= KNOWN and norm > FACTOR * median(norms):
                seen.append(
                    f"the {player}'s gradient is {norm:.1e} long, its median was "
                    f"{median(norms):.1e}"
                )
            elif norm > 0:  # no gradient at all says nothing of how long one is
                norms.append(norm)
        return " and ".join(seen)
