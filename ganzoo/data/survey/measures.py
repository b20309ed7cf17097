"""Statistics of the sizes of images."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from ganzoo.data.survey.summary import Sizes

SQUARE = 1.02  # largest ratio of the sides of a square image
COMMON = 5  # sizes to name


def measure_sizes(sizes: NDArray[np.int64]) -> Sizes:
    """Return the statistics of sizes.

    Args:
        sizes: widths and heights, int64 (n, 2).
    """
    width, height = sizes.astype(np.float64).T
    order = np.argsort(width * height, kind="stable")
    ratios = width / height
    long = np.maximum(ratios, 1 / ratios)
    square, extreme = long <= SQUARE, long >= 2
    wide = width > height
    shapes = {
        "1:2 or taller": extreme & ~wide,
        "portrait": ~square & ~extreme & ~wide,
        "square": square,
        "landscape": ~square & ~extreme & wide,
        "2:1 or wider": extreme & wide,
    }
    counts = Counter(map(tuple, sizes.tolist()))
    return Sizes(
        smallest=_height_and_width(sizes[order[0]]),
        largest=_height_and_width(sizes[order[-1]]),
        median_width=float(np.median(width)),
        median_height=float(np.median(height)),
        shorter_sides=_quantiles(np.minimum(width, height), (0, 25, 50, 75, 100)),
        ratios=_quantiles(ratios, (0, 50, 100)),
        shapes={name: int(each.sum()) for name, each in shapes.items() if each.any()},
        common={f"{h}x{w}": n for (w, h), n in counts.most_common(COMMON)},
        distinct=len(counts),
        doubled=int((width == 2 * height).sum()),
    )


def _height_and_width(size: NDArray[np.int64]) -> tuple[int, int]:
    return int(size[1]), int(size[0])


def _quantiles(values: NDArray[np.float64], shares: tuple[int, ...]) -> tuple[float, ...]:
    return tuple(round(float(value), 3) for value in np.percentile(values, shares))
