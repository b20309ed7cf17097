"""Geometric transformations: scaling, rotation, stretching and fractional shifts."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample, pad

from ganzoo.games.ada.coins import normal, toss, uniform
from ganzoo.games.ada.filtering import MARGIN, double, halve

SCALING = 0.2  # standard deviation of the logarithm to base 2 of a scale
SHIFT = 1 / 8  # standard deviation of a shift, as a share of the side
CENTRE = -0.5  # the centre of an image in `double` of it, in pixels from the centre of the latter


def transform(images: Tensor, probability: Tensor | float) -> Tensor:
    """Randomly scale, rotate, stretch, rotate again and shift images.

    Each step applies to an image with the given probability; the two rotations together have that
    probability. Stretching has any direction, because a rotation precedes and follows it.
    """
    n, (height, width) = len(images), images.shape[2:]
    half = 1 - (1 - torch.as_tensor(probability)).clamp(min=0).sqrt()

    def some(amount: Tensor, share: Tensor | float = probability) -> tuple[Tensor, Tensor]:
        changed = toss(images, share)
        return changed, (amount * changed).view(n)

    scaled, scale = some(SCALING * normal(images))
    turned, before = some(math.pi * (2 * uniform(images) - 1), half)
    stretched, stretch = some(SCALING * normal(images))
    returned, after = some(math.pi * (2 * uniform(images) - 1), half)
    shifted, down = some(SHIFT * height * normal(images))
    right = (SHIFT * width * normal(images) * shifted).view(n)
    scales = torch.stack([2 ** (scale + stretch), 2 ** (scale - stretch)], 1)
    matrix = rotation(before) @ torch.diag_embed(scales) @ rotation(after)
    warped = warp(images, matrix, torch.stack([right, down], 1))
    # All other images keep their exact values.
    return torch.where(scaled | turned | stretched | returned | shifted, warped, images)


def rotation(angle: Tensor) -> Tensor:
    """Return rotation matrices for angles, (n, 2, 2)."""
    cos, sin = angle.cos(), angle.sin()
    return torch.stack([torch.stack([cos, -sin], 1), torch.stack([sin, cos], 1)], 1)


def warp(images: Tensor, matrix: Tensor, shift: Tensor) -> Tensor:
    """Return images whose position u shows position matrix @ (u - shift) of the input.

    Images are mirrored at their border pixels, as far as any position of the batch shows, and
    sampled at twice their resolution. `double` puts pixel k at pixel 2k of the larger image, and
    the centre of the image is therefore half a pixel up and to the left of the centre of the larger
    image.

    Args:
        images: (n, channels, height, width).
        matrix: (n, 2, 2), for positions (right, down) in pixels from the centre of the image.
        shift: (n, 2), in pixels.
    """
    right, down = _shown_beyond(images, matrix, shift)
    wide = double(pad(images, (right, right, down, down), mode="reflect"))
    # Positions of a grid are shares of half the side; a pixel of `wide` is half a pixel of images.
    sides = torch.tensor(wide.shape[:1:-1], device=images.device, dtype=images.dtype) / 2
    outputs = sides - 2 * torch.tensor([right, down], device=images.device, dtype=images.dtype)
    by_share = matrix * outputs / sides[:, None]
    # v = matrix @ (u - 2 shift) holds for positions from the centre of the image, at CENTRE.
    centre = torch.full_like(sides, CENTRE)
    offset = (centre - (matrix @ (2 * shift + centre)[:, :, None])[:, :, 0]) / sides
    theta = torch.cat([by_share, offset[:, :, None]], 2)
    height, width = (2 * outputs).long().flip(0).tolist()
    grid = affine_grid(theta, [*images.shape[:2], height, width], align_corners=False)
    sampled: Tensor = _Sampled.apply(wide, grid)
    return halve(sampled)


def _shown_beyond(images: Tensor, matrix: Tensor, shift: Tensor) -> tuple[int, int]:
    """Return the pixels right and down of an image's border that a warp and its filters read.

    Mirroring once reaches less than a side; `grid_sample` mirrors the little that is beyond.
    """
    sides = torch.tensor(images.shape[:1:-1], device=images.device, dtype=images.dtype)
    signs = torch.tensor([[1, 1], [1, -1]], device=images.device, dtype=images.dtype)
    corners = signs * (sides + MARGIN) / 2  # the other two are opposite
    reach = matrix @ torch.cat([corners, -corners]).sub(shift[:, None]).mT
    beyond = reach.abs().amax((0, 2)) - sides / 2 + MARGIN
    right, down = beyond.ceil().long().clamp(min=0).minimum(sides.long() - 1).tolist()
    return right, down


def _sample(images: Tensor, grid: Tensor) -> Tensor:
    return grid_sample(images, grid, padding_mode="reflection", align_corners=False)


class _Sampled(torch.autograd.Function):
    """`grid_sample`, differentiable twice.

    Older versions of torch differentiate `grid_sample` only once. It is linear in the images, and
    the gradient of a linear map is its transpose.
    """

    @staticmethod
    def forward(ctx: Any, images: Tensor, grid: Tensor) -> Tensor:
        ctx.save_for_backward(grid)
        ctx.shape = images.shape
        return _sample(images, grid)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return _Spread.apply(gradient, *ctx.saved_tensors, ctx.shape), None


class _Spread(torch.autograd.Function):
    """The transpose of `_Sampled`."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, grid: Tensor, shape: torch.Size) -> Tensor:
        ctx.save_for_backward(grid)
        with torch.enable_grad():
            images = values.new_zeros(shape).requires_grad_()
            (spread,) = torch.autograd.grad(_sample(images, grid), images, values)
        return spread

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        return _Sampled.apply(gradient, *ctx.saved_tensors), None, None
