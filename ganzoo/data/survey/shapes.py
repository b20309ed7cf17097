"""The rectangle that suits images, and what each fit to a size costs."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ganzoo.data.survey.recipes import BASES
from ganzoo.sampling.image_fits import Fitting
from ganzoo.sampling.image_warnings import ImageNotes

LARGEST = 256  # pixels of a suggested side, the limit of many architectures; or the square's side
GAIN = 0.1  # share of the pixels that a suggested rectangle saves over a square, at least
ALIKE = 0.025  # shares of the pixels that count as equal; the larger rectangle is better then
SMALLEST = 1 / 4  # of the shorter side, as a share of the square's
SAMPLE = 8  # images with which the time of a fit is measured


@dataclass(frozen=True)
class FitCost:
    """What the fits of the dataset ``folder`` do to images of a folder at one size.

    Attributes:
        height, width: the size in pixels.
        lost: mean share of an image that a crop drops. It is also the mean share of the result that
            ``pad`` fills with padding.
        halved: number of images of which a crop drops half or more.
        stretched: median factor by which ``stretch`` changes the ratio of the sides, at least 1.
    """

    height: int
    width: int
    lost: float
    halved: int
    stretched: float


def cost_of(sizes: NDArray[np.int64], height: int, width: int) -> FitCost:
    """Return what fits to a size do to images.

    Args:
        sizes: widths and heights of the images, int64 (n, 2).
        height: pixels.
        width: pixels.
    """
    across, down = (sizes * (height, width)).astype(np.float64).T
    share = np.minimum(across, down) / np.maximum(across, down)  # that a crop keeps
    return FitCost(
        height,
        width,
        round(float(1 - share.mean()), 4),
        int((share <= 0.5).sum()),
        round(float(np.median(1 / share)), 3),
    )


def warn_of_fit(sizes: NDArray[np.int64], names: Sequence[str], fitting: Fitting) -> ImageNotes:
    """Return the warnings of a training about a fit of images.

    Args:
        sizes: widths and heights of the images, int64 (n, 2).
        names: their names.
        fitting: the fit.
    """
    across, down = (sizes * (fitting.height, fitting.width)).T
    notes = ImageNotes()
    for k in np.flatnonzero(2 * np.minimum(across, down) <= np.maximum(across, down)).tolist():
        with notes.of_image():
            fitting.warn((int(sizes[k, 0]), int(sizes[k, 1])), names[k])
    return notes


def measure_fit(sizes: NDArray[np.int64], fitting: Fitting) -> float:
    """Return the processor time in seconds that a fit of images takes.

    It depends on their sizes alone, and is measured with blank images of a few of them.

    Args:
        sizes: widths and heights of the images, int64 (n, 2).
        fitting: the fit.
    """
    some = sizes[np.linspace(0, len(sizes) - 1, min(len(sizes), SAMPLE)).astype(int)]
    start = time.thread_time()
    with ImageNotes().collect():
        for width, height in some.tolist():
            fitting.apply(Image.new("RGB", (width, height)), "", "")
    return (time.thread_time() - start) * len(sizes) / len(some)


def suggest_rectangle(sizes: NDArray[np.int64], side: int) -> tuple[int, int] | None:
    """Return height and width of a rectangle that saves a tenth of the pixels over a square.

    Its sides are multiples of a power of two, and the shorter one is 4, 5, 6 or 7 times this power,
    so that many architectures can make it.

    Args:
        sizes: widths and heights of the images, int64 (n, 2).
        side: side of the square, 8 or more. It is the maximum of the shorter side.

    Returns:
        The rectangle, or None if none saves as much.

    >>> suggest_rectangle(np.array([[640, 480]]), 64)
    (48, 64)
    """
    ratio = float(np.median(sizes[:, 0] / sizes[:, 1]))
    costs = []
    for base in BASES:
        longer = round(max(ratio, 1 / ratio) * base)
        step = 1 << math.floor(math.log2(side / base))
        while longer * step > max(LARGEST, side):
            step //= 2
        if step > 1 and longer > base >= SMALLEST * side / step:
            pair = (base * step, longer * step)
            costs.append(cost_of(sizes, *(pair if ratio > 1 else pair[::-1])))
    if not costs:
        return None
    best = min(costs, key=lambda cost: (cost.lost // ALIKE, -cost.height * cost.width))
    gain = cost_of(sizes, side, side).lost - best.lost
    return (best.height, best.width) if gain >= GAIN else None
