"""Learning rates that do not change the weights."""

from __future__ import annotations

from ganzoo.errors import quantity
from ganzoo.spec import Recipe
from ganzoo.training.monitors.monitor import Line, Monitor
from ganzoo.training.prepared import Prepared

STILL = 1e-6  # change of the weights since the last line, relative to their norm


def stale_learning_rate(training: Prepared) -> StaleLearningRate:
    """Return the monitor of learning rates, which fits every training."""
    return StaleLearningRate(training.recipe)


class StaleLearningRate(Monitor):
    """The schedule is at 0, the warm-up is longer than the run, or the weights do not change.

    A step of Adam is about as large as the learning rate, whatever the gradient ("Adam: A Method
    for Stochastic Optimization", Kingma and Ba, 2014, section 2.1,
    https://arxiv.org/abs/1412.6980). Float32 has 24 bits of precision, so rounding removes steps
    below 6e-8 of a weight.

    Args:
        recipe: the run's recipe.
    """

    name = "stale learning rate"
    needs = ("learning_rates",)
    begins, ends = 3, 3
    remedy = (
        "a higher --optimizer.lr or --learning-rates, a --optimizer.warmup that is shorter than "
        "the run, or a --optimizer.decay-to above 0"
    )

    def __init__(self, recipe: Recipe) -> None:
        self._warmup, self._images = recipe.optimizer.warmup, recipe.images

    def check(self, line: Line) -> str:
        """Name the players that learn nothing."""
        if self._warmup >= self._images:
            return (
                f"learning rates rise over {quantity(self._warmup, 'image')}, but the run has only "
                f"{self._images:,}"
            )
        problems = []
        for player, lr in line["learning_rates"].items():
            moved = line.get("movement", {}).get(player)
            if not lr:
                problems.append(f"the {player}'s learning rate is 0")
            elif moved is not None and moved < STILL and player in line["gradient_norms"]:
                problems.append(
                    f"the {player}'s learning rate is {lr:.1e}, and its weights changed by "
                    f"{moved:.1e} of their norm since the last line of the log"
                )
        return " and ".join(problems)
