"""The discriminator has lost: it cannot tell what is easy to tell."""

from __future__ import annotations

from ganzoo.training.monitors.monitor import Line, Monitor
from ganzoo.training.monitors.won import accuracy

CHANCE = 0.05  # within which of 0.5 an accuracy is that of a coin
UNCHANGED = 0.8  # of the distance between samples and data in the beginning
AMONG = 0.05  # a distance at which samples lie among the data
TICKS, SHARE = 500, 0.05  # of a run, in which a discriminator may still have to learn


class DiscriminatorLost(Monitor):
    """Its accuracy is that of a coin while samples are as far from the data as they were.

    Where they lie among the data from the beginning, it says nothing.

    An accuracy of 0.5 alone says nothing: it is also where the game ends well, when generated
    images have the distribution of real ones ("Generative Adversarial Nets", Goodfellow et al.,
    2014, proposition 1 and theorem 1, https://arxiv.org/abs/1406.2661). What the monitor adds is a
    distance between the two that no discriminator has a part in. Games without an accuracy, such as
    wgan, are not judged.

    Args:
        images: of the whole run.
    """

    name = "the discriminator has lost"
    needs = ("metrics",)
    begins, ends = 5, 5
    remedy = (
        "a discriminator that learns more (--learning-rates discriminator 1e-3, "
        "--loss.discriminator-steps 2, a larger --architecture.width), or one that is hindered "
        "less (smaller penalties, less --loss.instance-noise or --loss.augmentation)"
    )

    def __init__(self, images: int) -> None:
        self._images = images
        self._first: float | None = None
        self._distance = 0.0

    def see(self, line: Line) -> str:
        """Say how accurate it is, and how far samples are from the data."""
        self._distance = line.get("samples", {}).get("distance", self._distance)
        if self._first is None:
            self._first = self._distance or None
        right = accuracy(line)
        if (
            right is None
            or abs(right - 0.5) > CHANCE
            or line["tick"] < TICKS
            or line["images"] < SHARE * self._images
            or self._first is None
            or self._distance < max(UNCHANGED * self._first, AMONG)
        ):
            return ""
        return (
            f"its accuracy is {right:.2f}, that of a coin, while samples are at distance "
            f"{self._distance:.2f} from the data, {self._first:.2f} in the beginning"
        )
