"""What losses share: the contract of a training game, the adversarial game, penalties."""

from ganzoo.games.adversarial import AdversarialLoss, Criterion
from ganzoo.games.game import Batch, Loss, Player, Turn
from ganzoo.games.penalties import R1, GradientPenalty, Pair, Penalty

__all__ = [
    "R1",
    "AdversarialLoss",
    "Batch",
    "Criterion",
    "GradientPenalty",
    "Loss",
    "Pair",
    "Penalty",
    "Player",
    "Turn",
]
