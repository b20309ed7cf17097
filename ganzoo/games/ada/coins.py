"""Random numbers, one per image.

Each tensor has one row per image and comes from torch's generator, so it does not depend on how a
batch is split over processes.
"""

from __future__ import annotations

import torch
from torch import Tensor


def toss(images: Tensor, probability: Tensor | float) -> Tensor:
    """Return True with this probability for each image, bool (n, 1, 1, 1)."""
    return uniform(images) < probability


def uniform(images: Tensor) -> Tensor:
    """Return a number in [0, 1) for each image, (n, 1, 1, 1)."""
    return torch.rand(len(images), 1, 1, 1, device=images.device, dtype=images.dtype)


def normal(images: Tensor) -> Tensor:
    """Return a number from N(0, 1) for each image, (n, 1, 1, 1)."""
    return torch.randn(len(images), 1, 1, 1, device=images.device, dtype=images.dtype)


def either(images: Tensor, choices: int) -> Tensor:
    """Return one of 0, ..., choices - 1 for each image, int64 (n, 1, 1, 1)."""
    return torch.randint(choices, (len(images), 1, 1, 1), device=images.device)
