"""Gaussians on a circle: the smallest dataset that shows mode collapse."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import TensorDataset

from ganzoo import DataSpec, ImageSpec
from ganzoo.errors import DataError

RADIUS = 0.75  # radius of the circle, in the square [-1, 1] x [-1, 1]
DOT = 1.5  # standard deviation of a dot, in pixels
SEED = 0


def ring(
    root: Path | None, *, modes: int = 8, std: float = 0.03, size: int = 0, count: int = 16_384
) -> tuple[TensorDataset, DataSpec]:
    """Points of a mixture of Gaussians on a circle, with equal numbers of points in each.

    After the toy dataset of "Unrolled Generative Adversarial Networks" (Metz et al., 2017), section
    3.1, https://arxiv.org/abs/1611.02163, scaled to [-1, 1]. The Gaussians are wider: 0.04 of the
    radius instead of the paper's 0.01 (``std=0.0075``), which is one level of uint8.

    Args:
        root: not used.
        modes: number of Gaussians, evenly spaced on the circle. They are the classes.
        std: standard deviation of each Gaussian. The radius of the circle is 0.75.
        size: 0 for points as vectors, for the architecture mlp; 8 to 256 for images of that height
            and width with a dot at the point.
        count: number of points.

    Returns:
        uint8 images (count, 1, 1, 2), x and y from -1 (level 0) to 1 (level 255), or (count, 1,
        size, size); int64 labels (count,), the index of the Gaussian.

    Raises:
        DataError: an argument is out of range.
    """
    if not 1 <= modes <= 100 or not 0 < std <= 0.25 or not modes <= count <= 10_000_000:
        raise DataError(
            f"dataset 'ring' cannot have modes={modes}, std={std}, count={count}. Set modes to 1 "
            "to 100, std to more than 0 and at most 0.25, and count to modes or more, up to "
            "10,000,000."
        )
    if size and not 8 <= size <= 256:
        raise DataError(
            f"dataset 'ring' cannot have images of {size} pixels. Use --dataset.size 0 for points, "
            "or 8 to 256."
        )
    rng = np.random.default_rng(SEED)
    labels = np.arange(count) % modes
    angle = 2 * math.pi * labels / modes
    centres = RADIUS * np.stack([np.cos(angle), np.sin(angle)], 1)
    points = np.clip(centres + std * rng.standard_normal((count, 2)), -1, 1)
    levels = _draw(points, size) if size else points[:, None] / 2 + 0.5
    images = torch.from_numpy(np.rint(255 * levels).astype(np.uint8))[:, None]
    spec = DataSpec(
        ImageSpec(size or 1, size or 2, 1),
        classes=modes,
        labels=tuple(map(str, range(modes))),
        license="cc0-1.0",
        origin=f"{modes} Gaussians on a circle",
        extractor="pixels",
    )
    return TensorDataset(images, torch.from_numpy(labels)), spec


ring.needs_data = False  # type: ignore[attr-defined]


def _draw(points: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Return images of soft dots on black, (count, size, size) in [0, 1]; y points up."""
    centres = (np.arange(size) + 0.5) / size * 2 - 1
    width = DOT * 2 / size
    x, y = (np.exp(-((centres - points[:, [k]]) ** 2) / (2 * width**2)) for k in (0, 1))
    return y[:, ::-1, None] * x[:, None, :]
