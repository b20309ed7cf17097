"""Questions about an adversarial training that several monitors ask."""

from __future__ import annotations

from statistics import mean

from ganzoo.games import Loss
from ganzoo.training.monitors.monitor import Line


def has_discriminator(loss: Loss) -> bool:
    """Return whether a loss trains a network that the bundle does not contain."""
    return bool(loss.roles - set(loss.exported_roles))


def accuracy(line: Line) -> float | None:
    """Return the mean of the accuracies in a line, or None if it has none."""
    values = [value for name, value in line["metrics"].items() if name.endswith("accuracy")]
    return mean(values) if values else None
