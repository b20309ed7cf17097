"""The options of the adversarial game."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ganzoo.games.ada.adaptive import check_settings
from ganzoo.games.augmentation import Policy
from ganzoo.games.game import check_count, check_weight
from ganzoo.spec import as_number


@dataclass(frozen=True)
class AdversarialOptions:
    """The options that every adversarial loss has.

    Attributes:
        penalties: weights of penalties by registered name; weights of 0 are dropped.
        penalty_every: turns of the discriminator between computations of the penalties, whose
            weights are multiplied by this number.
        discriminator_steps: updates of the discriminator per turn, each on a fresh batch.
        discriminator_every: ticks between turns of the discriminator; above 1 for a discriminator
            that is too strong.
        weight_clip: largest absolute value of the discriminator's weights (Arjovsky et al.,
            2017), 0 for no clipping.
        label_smoothing: probability of the label "fake" for real images in the discriminator's
            loss, from 0 to below 0.5: one-sided label smoothing (Salimans et al., 2016,
            https://arxiv.org/abs/1606.03498).
        instance_noise: standard deviation of the noise on all images that the discriminator
            reads; it falls linearly to 0 over the run (Sønderby et al., 2016,
            https://arxiv.org/abs/1610.04490).
        augmentation: random changes to all images that the discriminator reads (Zhao et al.,
            2020, https://arxiv.org/abs/2006.10738).
        ada: whether to augment all images that the discriminator reads, with a probability that
            rises while it overfits (Karras et al., 2020, https://arxiv.org/abs/2006.06676). It
            needs a loss that compares each logit with a label.
        ada_target: target of the mean sign of the logits of real images; above it, the
            discriminator overfits.
        ada_images: images in which the probability can rise from 0 to 1.

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
    ada: bool = False
    ada_target: float = 0.6
    ada_images: int = 500_000

    def __post_init__(self) -> None:
        for name in ("penalty_every", "discriminator_steps", "discriminator_every"):
            check_count(name, getattr(self, name))
        for name, weight in self.penalties.items():
            check_weight(name, weight)
        for name in ("weight_clip", "instance_noise"):
            check_weight(name, getattr(self, name))
        if not 0 <= as_number("label_smoothing", self.label_smoothing) < 0.5:
            raise ValueError(f"label_smoothing is {self.label_smoothing}; it must be in [0, 0.5)")
        check_settings(self.ada_target, self.ada_images)
        weights = {name: weight for name, weight in self.penalties.items() if weight}
        object.__setattr__(self, "penalties", weights)
