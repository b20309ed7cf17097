"""Adaptive discriminator augmentation.

"Training Generative Adversarial Networks with Limited Data" (Karras et al., 2020),
https://arxiv.org/abs/2006.06676.
"""

from ganzoo_stylegan2.augmentation.adaptive import AdaptiveAugmentation, AugmentedDiscriminator
from ganzoo_stylegan2.augmentation.filtering import SMALLEST
from ganzoo_stylegan2.augmentation.pipeline import augment

__all__ = ["SMALLEST", "AdaptiveAugmentation", "AugmentedDiscriminator", "augment"]
