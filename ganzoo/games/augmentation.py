"""Differentiable augmentation of the images that a discriminator reads.

"Differentiable Augmentation for Data-Efficient GAN Training" (Zhao et al., 2020),
https://arxiv.org/abs/2006.10738. It applies to real and fake images in both players' turns, and the
gradient passes through it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import pad

Policy = Literal["color", "translation", "cutout"]

SHIFT = 1 / 8  # largest translation, as a share of the side
HOLE = 1 / 2  # side of the square that cutout blanks, as a share of the image's


def augment(images: Tensor, policies: Iterable[Policy]) -> Tensor:
    """Return randomly augmented images (n, channels, height, width), one policy after the other."""
    for policy in policies:
        images = _POLICIES[policy](images)
    return images


def augment_pair(
    images: Tensor, condition: Tensor, policies: Iterable[Policy]
) -> tuple[Tensor, Tensor]:
    """Return augmented images and conditions: both move alike, and only images change colours."""
    channels = images.shape[1]
    for policy in policies:
        if policy == "color":
            images = color(images)
        else:
            stacked = _POLICIES[policy](torch.cat([images, condition], 1))
            images, condition = stacked[:, :channels], stacked[:, channels:]
    return images, condition


def _per_image(images: Tensor) -> Tensor:
    """Return a random number from [0, 1] for each image, (n, 1, 1, 1)."""
    return torch.rand(len(images), 1, 1, 1, device=images.device, dtype=images.dtype)


def _rounded(pixels: float) -> int:
    """Return the nearest integer; a half is rounded up, unlike by `round`."""
    return int(pixels + 0.5)


def color(images: Tensor) -> Tensor:
    """Change brightness by up to 0.5, saturation 0 to 2 times, and contrast 0.5 to 1.5 times."""
    images = images + (_per_image(images) - 0.5)
    grey = images.mean(1, keepdim=True)
    images = torch.lerp(grey, images, 2 * _per_image(images))
    middle = images.mean((1, 2, 3), keepdim=True)
    return torch.lerp(middle, images, _per_image(images) + 0.5)


def translation(images: Tensor) -> Tensor:
    """Shift by up to an eighth of the side; the uncovered border is 0."""
    n, _, height, width = images.shape
    max_y, max_x = _rounded(height * SHIFT), _rounded(width * SHIFT)
    padded = pad(images, (max_x, max_x, max_y, max_y))
    top = torch.randint(2 * max_y + 1, (n, 1), device=images.device)
    left = torch.randint(2 * max_x + 1, (n, 1), device=images.device)
    rows = top + torch.arange(height, device=images.device)
    columns = left + torch.arange(width, device=images.device)
    index = torch.arange(n, device=images.device)[:, None, None]
    return padded.permute(0, 2, 3, 1)[index, rows[:, :, None], columns[:, None]].permute(0, 3, 1, 2)


def cutout(images: Tensor) -> Tensor:
    """Set a square of half the side to 0; its centre is anywhere in the image, edges included."""
    _, _, height, width = images.shape

    def outside(side: int) -> Tensor:
        hole = _rounded(HOLE * side)
        # The centre of an even hole is a border between pixels, and there is one more of these.
        centre = (_per_image(images) * (side + 1 - hole % 2)).long()
        offset = torch.arange(side, device=images.device) - centre + hole // 2
        return (offset < 0) | (offset >= hole)

    rows, columns = outside(height)[:, :, 0, :, None], outside(width)[:, :, :, :]
    return images * (rows | columns)


_POLICIES = {"color": color, "translation": translation, "cutout": cutout}
