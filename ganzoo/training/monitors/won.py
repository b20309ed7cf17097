"""The discriminator has won: it is always right, and the generator learns nothing from it."""

from __future__ import annotations

from collections.abc import Collection
from statistics import median

from ganzoo.training.monitors.adversarial import accuracy, has_discriminator
from ganzoo.training.monitors.monitor import Line, Monitor
from ganzoo.training.prepared import Prepared

PINNED = 0.99  # a discriminator with this accuracy is always right
VANISHED = 0.01  # of the largest norm of the generator's gradient so far
RECENT = 5  # lines of which the median of the norms is taken


def discriminator_won(training: Prepared) -> DiscriminatorWon | None:
    """Return the monitor of a discriminator that won, if the training has a discriminator."""
    loss = training.state.loss
    if not has_discriminator(loss):
        return None
    return DiscriminatorWon(
        [player.name for player in loss.players if set(player.trains) & set(loss.exported_roles)]
    )


class DiscriminatorWon(Monitor):
    """The accuracy stays at 1 and the generator's gradient has vanished.

    The better the discriminator, the smaller the gradient that passes through it if the loss
    saturates: "Towards Principled Methods for Training Generative Adversarial Networks" (Arjovsky
    and Bottou, 2017), theorem 2.4 and figure 2, https://arxiv.org/abs/1701.04862. An accuracy of 1
    alone is no failure: many models train well with it.

    Args:
        generators: players that train exported networks.
    """

    name = "the discriminator has won"
    needs = ("metrics", "gradient_norms")
    begins, ends = 5, 5
    remedy = (
        "a discriminator that plays less often (--loss.discriminator-every 2), a loss whose "
        "gradient does not vanish (--loss nonsaturating or wgan-gp), or a penalty (--loss.r1 1)"
    )

    def __init__(self, generators: Collection[str]) -> None:
        self._norms: dict[str, list[float]] = {name: [] for name in generators}
        self._largest: dict[str, float] = {}

    def check(self, line: Line) -> str:
        """Report the accuracy, and the norms of the gradients that have vanished."""
        for player, norm in line["gradient_norms"].items():
            if player in self._norms:
                self._norms[player] = [*self._norms[player], norm][-RECENT:]
        recent = {player: median(norms) for player, norms in self._norms.items() if norms}
        for player, norm in recent.items():
            self._largest[player] = max(norm, self._largest.get(player, 0.0))
        value = accuracy(line)
        if value is None or value < PINNED:
            return ""
        return " and ".join(
            f"its accuracy is {value:.3f}, and the {player}'s gradient has norm {norm:.1e}, "
            f"{norm / self._largest[player]:.1e} times its largest norm so far"
            for player, norm in recent.items()
            if norm < VANISHED * self._largest[player]
        )
