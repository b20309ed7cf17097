"""The transformations one after the other."""

from __future__ import annotations

import torch
from torch import Tensor

from ganzoo_stylegan2.augmentation.blitting import blit
from ganzoo_stylegan2.augmentation.colour import recolour
from ganzoo_stylegan2.augmentation.geometry import transform


def augment(images: Tensor, probability: Tensor | float) -> Tensor:
    """Blit, transform and recolour each image, each step of it with a probability.

    "Training Generative Adversarial Networks with Limited Data" (Karras et al., 2020), appendix B,
    https://arxiv.org/abs/2006.06676: the transformations that the paper settles on, with its
    strengths. The gradient passes through, twice. What no step chose is unchanged to the bit.

    Args:
        images: (n, channels, height, width) in [-1, 1], of `SMALLEST` pixels a side at least.
        probability: of every step, scalar in [0, 1].
    """
    # In bf16 places and colours would be rounded.
    with torch.autocast(images.device.type, enabled=False):
        images = blit(images, probability)
        images = transform(images, probability)
        return recolour(images, probability)
