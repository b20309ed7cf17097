"""What losses share: the contract of a training game, the adversarial game, penalties."""

from ganzoo.games.adversarial import AdversarialLoss, Criterion, Critic
from ganzoo.games.augmentation import augment
from ganzoo.games.batchwise import batch_mean
from ganzoo.games.game import Batch, Loss, Player, Turn, check_weight
from ganzoo.games.penalties import R1, R2, Dragan, GradientPenalty, Pair, Penalty
from ganzoo.games.rules import Rules, with_rules

__all__ = [
    "R1",
    "R2",
    "AdversarialLoss",
    "Batch",
    "Criterion",
    "Critic",
    "Dragan",
    "GradientPenalty",
    "Loss",
    "Pair",
    "Penalty",
    "Player",
    "Rules",
    "Turn",
    "augment",
    "batch_mean",
    "check_weight",
    "with_rules",
]
