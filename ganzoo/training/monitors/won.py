"""The discriminator has won: it is always right, and the generator learns nothing from it."""

from __future__ import annotations

from collections.abc import Collection
from statistics import mean, median

from ganzoo.training.monitors.monitor import Line, Monitor

PINNED = 0.99  # accuracy from which on a discriminator is always right
VANISHED = 0.01  # of the norm that the generator's gradient had
RECENT = 5  # lines, over whose median a norm is taken


class DiscriminatorWon(Monitor):
    """The accuracy is pinned at 1 and the generator's gradient has vanished.

    The better the discriminator, the smaller the gradient that passes through it where the game
    saturates: "Towards Principled Methods for Training Generative Adversarial Networks" (Arjovsky
    and Bottou, 2017), theorem 2.4 and figure 2, https://arxiv.org/abs/1701.04862. An accuracy of 1
    alone is no failure: many games train well so.

    Args:
        generators: players that train what is delivered.
    """

    name = "the discriminator has won"
    needs = ("metrics", "gradient_norms")
    begins, ends = 5, 5
    remedy = (
        "a discriminator that plays less often (--loss.discriminator-every 2), a loss whose "
        "gradient does not vanish (--loss nonsaturating or wgan-gp), or a penalty (--loss.r1 1)"
    )

    def __init__(self, generators: Collection[str]) -> None:
        self._generators = generators
        self._norms: dict[str, list[float]] = {name: [] for name in generators}
        self._usual: dict[str, float] = {}

    def see(self, line: Line) -> str:
        """Say how accurate it is, and how small the gradient."""
        for player, norm in line["gradient_norms"].items():
            if player in self._norms:
                self._norms[player] = [*self._norms[player], norm][-RECENT:]
        recent = {player: median(norms) for player, norms in self._norms.items() if norms}
        for player, norm in recent.items():
            self._usual[player] = max(norm, self._usual.get(player, 0.0))
        right = accuracy(line)
        if right is None or right < PINNED:
            return ""
        return " and ".join(
            f"its accuracy is {right:.3f}, and the {player}'s gradient {norm:.1e}, "
            f"{norm / self._usual[player]:.1e} times what it was"
            for player, norm in recent.items()
            if norm < VANISHED * self._usual[player]
        )


def accuracy(line: Line) -> float | None:
    """Return the mean of the accuracies that a line has; None where the game watches none."""
    found = [value for name, value in line["metrics"].items() if name.endswith("accuracy")]
    return mean(found) if found else None
