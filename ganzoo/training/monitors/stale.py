"""Learning rates that move nothing."""

from __future__ import annotations

from ganzoo.spec import Recipe
from ganzoo.training.monitors.monitor import Line, Monitor

STILL = 1e-6  # change of weights since the last line, relative to their size


class StaleLearningRate(Monitor):
    """A schedule that is at 0 or never rises, or weights that stay where they are.

    A step of Adam is about as large as the learning rate, whatever the gradient ("Adam: A Method
    for Stochastic Optimization", Kingma and Ba, 2014, section 2.1,
    https://arxiv.org/abs/1412.6980), and float32 has 24 bits: what is smaller than 6e-8 of a weight
    is lost in rounding.

    Args:
        recipe: of the run.
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

    def see(self, line: Line) -> str:
        """Say which player learns nothing."""
        if self._warmup >= self._images:
            return (
                f"learning rates rise over {self._warmup:,} images, and the run has "
                f"{self._images:,}"
            )
        seen = []
        for player, lr in line["learning_rates"].items():
            moved = line.get("movement", {}).get(player)
            if not lr:
                seen.append(f"the {player}'s is 0")
            elif moved is not None and moved < STILL and player in line["gradient_norms"]:
                seen.append(
                    f"the {player}'s is {lr:.1e}, and its weights changed by {moved:.1e} of their "
                    "size since the last line of the log"
                )
        return " and ".join(seen)
