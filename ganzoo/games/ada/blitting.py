"""Pixel blitting: flips, rotations by right angles and integer shifts."""

from __future__ import annotations

import torch
from torch import Tensor

from ganzoo.games.ada.coins import either, toss, uniform

SHIFT = 1 / 8  # largest shift, as a share of the side


def blit(images: Tensor, probability: Tensor | float) -> Tensor:
    """Randomly mirror images, rotate them by a right angle, and shift them.

    Each step applies to an image with the given probability. Images (n, channels, height, width)
    that are not square are rotated only by 180 degrees.
    """
    mirrored = toss(images, probability) & (either(images, 2) == 1)
    images = torch.where(mirrored, images.flip(3), images)
    quarters = either(images, 4) * toss(images, probability)
    if images.shape[2] == images.shape[3]:
        images = torch.where(quarters % 2 == 1, images.rot90(1, (2, 3)), images)
    images = torch.where(quarters >= 2, images.rot90(2, (2, 3)), images)
    shifted = toss(images, probability)
    down, right = (
        (2 * uniform(images) - 1).mul(SHIFT * side).round().long() * shifted
        for side in images.shape[2:]
    )
    return shift(images, down, right)


def shift(images: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """Shift each image by whole pixels; pixels beyond the border are mirrored.

    Args:
        images: (n, channels, height, width).
        down, right: shift in pixels, less than the side, int64 (n, 1, 1, 1).
    """
    height, width = images.shape[2:]
    rows = _reflected(torch.arange(height, device=images.device)[:, None] - down, height)
    columns = _reflected(torch.arange(width, device=images.device) - right, width)
    images = images.gather(2, rows.expand_as(images))
    return images.gather(3, columns.expand_as(images))


def _reflected(index: Tensor, side: int) -> Tensor:
    """Return indices mirrored at the first and last pixel; they are at most a side outside."""
    last = side - 1
    return last - (last - index.abs()).abs()
