"""Training games: the interface of a loss, the adversarial game, and penalties."""

from ganzoo.games.adversarial import AdversarialLoss, Criterion, WrappedDiscriminator
from ganzoo.games.augmentation import augment
from ganzoo.games.batchwise import batch_mean
from ganzoo.games.factory import with_adversarial_options
from ganzoo.games.game import LOSS, WEIGHTED, Batch, Loss, Player, Turn, check_count, check_weight
from ganzoo.games.options import AdversarialOptions
from ganzoo.games.penalties import Comparison, Penalty, squared_gradient_norm

__all__ = [
    "LOSS",
    "WEIGHTED",
    "AdversarialLoss",
    "AdversarialOptions",
    "Batch",
    "Comparison",
    "Criterion",
    "Loss",
    "Penalty",
    "Player",
    "Turn",
    "WrappedDiscriminator",
    "augment",
    "batch_mean",
    "check_count",
    "check_weight",
    "squared_gradient_norm",
    "with_adversarial_options",
]
