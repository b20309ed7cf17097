"""What losses share: the contract of a training game, the adversarial game, penalties."""

from ganzoo.games.adversarial import AdversarialLoss, Criterion, WrappedDiscriminator
from ganzoo.games.augmentation import augment
from ganzoo.games.batchwise import batch_mean
from ganzoo.games.game import Batch, Loss, Player, Turn, check_weight
from ganzoo.games.options import AdversarialOptions, with_adversarial_options
from ganzoo.games.penalties import R1, R2, Comparison, Dragan, GradientPenalty, Penalty

__all__ = [
    "R1",
    "R2",
    "AdversarialLoss",
    "AdversarialOptions",
    "Batch",
    "Comparison",
    "Criterion",
    "Dragan",
    "GradientPenalty",
    "Loss",
    "Penalty",
    "Player",
    "Turn",
    "WrappedDiscriminator",
    "augment",
    "batch_mean",
    "check_weight",
    "with_adversarial_options",
]
