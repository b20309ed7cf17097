"""Options of the adversarial game."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ganzoo.games.augmentation import Policy
from ganzoo.games.game import check_weight


@dataclass(frozen=True)
class AdversarialOptions:
    """Options of every adversarial loss.

    Attributes:
        penalties: weights of penalties by registered name; one of weight 0 is dropped.
        penalty_every: compute penalties in every so many of the discriminator's turns only, so many
            times as strong.
        discriminator_steps: updates of the discriminator per turn, each on a fresh batch.
        discriminator_every: the discriminator plays on every so many ticks only, for when it wins.
        weight_clip: bound of the discriminator's weights (Arjovsky et al., 2017), 0 for none.
        label_smoothing: share of real images that the discriminator is told are fake, in
            expectation: one-sided (Salimans et al., 2016, https://arxiv.org/abs/1606.03498).
        instance_noise: standard deviation of the noise on all images the discriminator sees,
            falling linearly to 0 over the run (Sønderby et al., 2016,
            https://arxiv.org/abs/1610.04490).
        augmentation: changes to all images that the discriminator sees (Zhao et al., 2020,
            https://arxiv.org/abs/2006.10738).

    Raises:
        ValueError: a number out of its range.
    """

    penalties: Mapping[str, float] = field(default_factory=dict)
    penalty_every: int = 1
    discriminator_steps: int = 1
    discriminator_every: int = 1
    weight_clip: float = 0.0
    label_smoothing: float = 0.0
    instance_noise: float = 0.0
    augmentation: tuple[Policy, ...] = ()

    def __post_init__(self) -> None:
        for name in ("penalty_every", "discriminator_steps", "discriminator_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, it must be at least 1")
        for name, weight in self.penalties.items():
            check_weight(name, weight)
        for name in ("weight_clip", "instance_noise"):
            check_weight(name, getattr(self, name))
        if not 0 <= self.label_smoothing < 0.5:
            raise ValueError(f"label_smoothing is {self.label_smoothing}, it lies in [0, 0.5)")
        weights = {name: weight for name, weight in self.penalties.items() if weight}
        object.__setattr__(self, "penalties", weights)
