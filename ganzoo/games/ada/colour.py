"""Colour transformations.

The grey value of a pixel is the mean of its channels. Saturation changes only images with several
channels, hue only those with three.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ganzoo.games.ada.coins import either, normal, toss, uniform

BRIGHTNESS = 0.2  # standard deviation
CONTRAST = 0.5  # standard deviation of the logarithm to base 2
SATURATION = 1.0  # standard deviation of the logarithm to base 2


def recolour(images: Tensor, probability: Tensor | float) -> Tensor:
    """Randomly change brightness, contrast, luma, hue and saturation.

    Each step applies to an image with the given probability. Images (n, channels, height, width)
    are in [-1, 1], so the contrast scales around 0.
    """

    def some(changed: Tensor) -> Tensor:
        return torch.where(toss(images, probability), changed, images)

    images = some(images + BRIGHTNESS * normal(images))
    images = some(images * 2 ** (CONTRAST * normal(images)))
    images = some(torch.where(either(images, 2) == 1, flip_luma(images), images))
    if images.shape[1] == 3:
        images = some(turn_hue(images, math.pi * (2 * uniform(images) - 1)))
    if images.shape[1] > 1:
        images = some(saturate(images, 2 ** (SATURATION * normal(images))))
    return images


def flip_luma(images: Tensor) -> Tensor:
    """Invert the luma, and keep the hue."""
    return images - 2 * images.mean(1, keepdim=True)


def turn_hue(images: Tensor, angle: Tensor) -> Tensor:
    """Rotate the colours of images with three channels around the grey axis.

    Args:
        images: (n, 3, height, width).
        angle: (n, 1, 1, 1), in radians; 2 pi / 3 maps red to green, green to blue, blue to red.
    """
    grey = images.mean(1, keepdim=True)
    colour = images - grey
    # Rodrigues' formula: the cross product with the axis (1, 1, 1) / sqrt(3).
    across = (colour.roll(-2, 1) - colour.roll(-1, 1)) / math.sqrt(3)
    return grey + angle.cos() * colour + angle.sin() * across


def saturate(images: Tensor, factor: Tensor) -> Tensor:
    """Multiply the distance of colours from grey by a factor (n, 1, 1, 1)."""
    return torch.lerp(images.mean(1, keepdim=True), images, factor)
