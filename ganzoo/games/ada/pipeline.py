"""The augmentation pipeline."""

from __future__ import annotations

import torch
from torch import Tensor

from ganzoo.games.ada.blitting import blit
from ganzoo.games.ada.colour import recolour
from ganzoo.games.ada.geometry import transform


def augment(images: Tensor, probability: Tensor | float) -> Tensor:
    """Augment images by blitting, geometry and colour, each step with a probability.

    "Training Generative Adversarial Networks with Limited Data" (Karras et al., 2020), appendix B,
    https://arxiv.org/abs/2006.06676: the transformations and strengths of the paper's final
    pipeline. It is differentiable twice. Images that no step changes keep their exact values.

    Args:
        images: (n, channels, height, width) in [-1, 1], with sides of at least `SMALLEST` pixels.
        probability: probability of each step, scalar in [0, 1].
    """
    # bf16 would round positions and colours.
    with torch.autocast(images.device.type, enabled=False):
        images = blit(images, probability)
        images = transform(images, probability)
        return recolour(images, probability)
