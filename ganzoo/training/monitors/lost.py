"""The discriminator has lost: it cannot tell images that are easy to tell."""

from __future__ import annotations

from ganzoo.training.monitors.adversarial import accuracy, has_discriminator
from ganzoo.training.monitors.monitor import Line, Monitor
from ganzoo.training.prepared import Prepared

CHANCE = 0.05  # accuracies this close to 0.5 are those of random guessing
UNCHANGED = 0.8  # of the initial distance between samples and data
AMONG = 0.05  # samples closer than this are not far from the data
TICKS, SHARE = 500, 0.05  # of a run; before that, the discriminator may still have to learn


def discriminator_lost(training: Prepared) -> DiscriminatorLost | None:
    """Return the monitor of a discriminator that lost, if the training has a discriminator."""
    if not has_discriminator(training.state.loss):
        return None
    return DiscriminatorLost(training.recipe.images)


class DiscriminatorLost(Monitor):
    """The accuracy is that of random guessing while samples are as far from the data as initially.

    Nothing is reported if the samples are close to the data from the start.

    An accuracy of 0.5 alone is no failure: an optimal training ends there, when generated images
    have the distribution of real ones ("Generative Adversarial Nets", Goodfellow et al., 2014,
    proposition 1 and theorem 1, https://arxiv.org/abs/1406.2661). The monitor adds a distance
    between the two that does not depend on the discriminator. Losses without an accuracy, such as
    wgan, are not checked.

    Args:
        images: length of the run.
    """

    name = "the discriminator has lost"
    needs = ("metrics",)
    begins, ends = 5, 5
    remedy = (
        "a discriminator that learns more (--learning-rates discriminator 1e-3, "
        "--loss.discriminator-steps 2, a larger --architecture.width), or one with less "
        "regularisation (smaller penalties, less --loss.instance-noise or --loss.augmentation)"
    )

    def __init__(self, images: int) -> None:
        self._images = images
        self._first: float | None = None
        self._distance = 0.0

    def check(self, line: Line) -> str:
        """Report the accuracy, and the distance of samples from the data."""
        self._distance = line.get("samples", {}).get("distance", self._distance)
        if self._first is None:
            self._first = self._distance or None
        value = accuracy(line)
        if (
            value is None
            or abs(value - 0.5) > CHANCE
            or line["tick"] < TICKS
            or line["images"] < SHARE * self._images
            or self._first is None
            or self._distance < max(UNCHANGED * self._first, AMONG)
        ):
            return ""
        return (
            f"its accuracy is {value:.2f}, that of random guessing, although samples are at "
            f"distance {self._distance:.2f} from the data (at the start: {self._first:.2f})"
        )
