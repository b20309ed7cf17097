"""The loss of R3GAN: relativistic pairing with gradient penalties that decay.

"The GAN is dead; long live the GAN! A Modern GAN Baseline" (Huang et al., 2024), section 2 and
appendix on hyper-parameters, https://arxiv.org/abs/2501.05441.
"""

from __future__ import annotations

import math

from torch import Tensor

import ganzoo
from ganzoo import Loss
from ganzoo.games import (
    AdversarialLoss,
    AdversarialOptions,
    Comparison,
    Criterion,
    Turn,
    with_adversarial_options,
)
from ganzoo.spec import as_number


class AnnealedPenaltiesLoss(AdversarialLoss):
    """An adversarial game with penalty weights that decay along half a cosine.

    Args:
        criterion: the losses of both players.
        options: penalties, number of turns, augmentation and noise.
        decay_to: final penalty weights, as a share of the initial ones.

    Raises:
        ValueError: `decay_to` is not in [0, 1].
    """

    def __init__(self, criterion: Criterion, options: AdversarialOptions, decay_to: float) -> None:
        super().__init__(criterion, options)
        if not 0 <= as_number("penalty_decay_to", decay_to) <= 1:
            raise ValueError(f"penalty_decay_to is {decay_to}; it must be in [0, 1]")
        self.decay_to = decay_to
        self.follows_length = self.follows_length or decay_to < 1

    def discriminator_terms(self, comparison: Comparison, turn: Turn) -> dict[str, Tensor]:
        """Return the discriminator's terms for one comparison, with decayed penalties."""
        scale = self.decay_to + (1 - self.decay_to) * 0.5 * (1 + math.cos(math.pi * turn.progress))
        penalties = {penalty.name for penalty in self.penalties}
        return {
            name: scale * term if name in penalties else term
            for name, term in super().discriminator_terms(comparison, turn).items()
        }


@with_adversarial_options(r1=2.0, r2=2.0)
def r3gan(options: AdversarialOptions, *, penalty_decay_to: float = 0.1) -> Loss:
    """RpGAN with R1 and R2, whose weights (the paper's gamma) decay during the training.

        discriminator: -log s(D(x) - D(G(z))) + r1 ||grad D(x)||^2 / 2 + r2 ||grad D(G(z))||^2 / 2
        generator:     -log s(D(G(z)) - D(x))
        with the sigmoid s

    "The GAN is dead; long live the GAN!" (Huang et al., 2024), https://arxiv.org/abs/2501.05441.
    The defaults are those of the paper for FFHQ-64: gamma falls from 2 to 0.2 along half a
    cosine.

    Args:
        penalty_decay_to: final penalty weights, as a share of the initial ones; 1 for constant
            weights, as in the loss rpgan.
    """
    relativistic = ganzoo.losses.get("rpgan")()
    return AnnealedPenaltiesLoss(relativistic.criterion, options, penalty_decay_to)
