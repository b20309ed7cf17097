"""Adaptive discriminator augmentation.

"Training Generative Adversarial Networks with Limited Data" (Karras et al., 2020),
https://arxiv.org/abs/2006.06676.
"""

from ganzoo.games.ada.adaptive import AdaptiveAugmentation, AugmentedDiscriminator
from ganzoo.games.ada.filtering import SMALLEST
from ganzoo.games.ada.pipeline import augment

__all__ = ["SMALLEST", "AdaptiveAugmentation", "AugmentedDiscriminator", "augment"]
