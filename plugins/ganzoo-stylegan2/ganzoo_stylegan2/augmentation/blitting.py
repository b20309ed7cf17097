"""Pixel blitting: images are mirrored, turned and shifted, and no pixel changes its value."""

from __future__ import annotations

import torch
from torch import Tensor

from ganzoo_stylegan2.augmentation.coins import either, toss, uniform

SHIFT = 1 / 8  # largest, as a share of the side


def blit(images: Tensor, probability: Tensor | float) -> Tensor:
    """Mirror half of the images chosen, turn those chosen by any right angle, shift those chosen.

    Images (n, channels, height, width) that are not square are turned upside down at most.
    """
    mirrored = toss(images, probability) & (either(images, 2) == 1)
    images = torch.where(mirrored, images.flip(3), images)
    quarters = either(images, 4) * toss(images, probability)
    if images.shape[2] == images.shape[3]:
        images = torch.where(quarters % 2 == 1, images.rot90(1, (2, 3)), images)
    images = torch.where(quarters >= 2, images.rot90(2, (2, 3)), images)
    chosen = toss(images, probability)
    down, right = (
        (2 * uniform(images) - 1).mul(SHIFT * side).round().long() * chosen
        for side in images.shape[2:]
    )
    return shift(images, down, right)


def shift(images: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """Move each image by whole pixels; what comes in is mirrored at the border.

    Args:
        images: (n, channels, height, width).
        down, right: by how many pixels, less than the side, int64 (n, 1, 1, 1).
    """
    height, width = images.shape[2:]
    rows = _reflected(torch.arange(height, device=images.device)[:, None] - down, height)
    columns = _reflected(torch.arange(width, device=images.device) - right, width)
    images = images.gather(2, rows.expand_as(images))
    return images.gather(3, columns.expand_as(images))


def _reflected(index: Tensor, side: int) -> Tensor:
    """Indices less than a side away from an image, mirrored at its first and last pixel."""
    last = side - 1
    return last - (last - index.abs()).abs()
