"""A plane of latents around a seed, to walk on."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ganzoo.demo.sampling import between, check_seed, latent_dim, most, one_class
from ganzoo.errors import SampleError
from ganzoo.sampling import latents
from ganzoo.sampling.generator import Generator
from ganzoo.sampling.images import ImageBatch
from ganzoo.spec import ModelSpec

REACH = 1.5  # of a walk, in lengths of a typical latent
SIDE = 9  # images of a side of the plane, odd so that the seed's own is in the middle
FRAME = "#ff4f1f"


def side(spec: ModelSpec) -> int:
    """Return how many images are on a side of a model's plane: 9, or 3, 5 or 7 of large ones."""
    return min(SIDE, (math.isqrt(most(spec)) - 1) // 2 * 2 + 1)


def step(
    model: Generator, seed: Any, directions: Any, x: Any, y: Any, label: str | None = None
) -> ImageBatch:
    """Make the image that lies `x` and `y` away from a seed's own, along two directions.

    Args:
        model: what makes it; its latents have two numbers at least.
        seed: whose image 0 lies at 0, 0.
        directions: seed of the two, which are orthogonal and as long as a typical latent.
        x, y: -1.5 to 1.5.
        label: a class; None where there are none.

    Raises:
        SampleError: an argument out of its range, or no such class.
    """
    place = np.array([[between(value, "step", -REACH, REACH) for value in (x, y)]], np.float32)
    z = _walk(model, seed, directions, place)
    return model.decode(z, one_class(model, 1, label))


def plane(model: Generator, seed: Any, directions: Any, label: str | None = None) -> ImageBatch:
    """Make the images of the plane that `step` walks on, `side` times as many, y upwards.

    Raises:
        SampleError: as for `step`.
    """
    count = side(model.spec)
    across = np.linspace(-REACH, REACH, count, dtype=np.float32)
    places = np.array([(x, y) for y in across[::-1] for x in across], np.float32)
    z = _walk(model, seed, directions, places)
    return ImageBatch(model.decode(z, one_class(model, len(z), label)).numpy(), count)


def clicked(at: float, extent: float, count: int = SIDE) -> float:
    """Return the step that a click into the picture of a plane means, along one of its sides.

    Args:
        at: where it was clicked, in pixels from the left or from the bottom.
        extent: pixels of that side.
        count: images of that side.
    """
    cells = at / extent * count - 0.5  # from the middle of the first image
    return float(np.clip((cells / (count - 1) * 2 - 1) * REACH, -REACH, REACH).round(2))


def framed(plane: Image.Image, x: float, y: float, count: int = SIDE) -> Image.Image:
    """Return the picture of a plane in colours, with a frame where a step leads.

    Args:
        plane: the picture.
        x, y: the step.
        count: images of a side.
    """
    drawn = plane.convert("RGB")
    middle = np.array(
        [_pixel(x, plane.width, count), plane.height - _pixel(y, plane.height, count)]
    )
    half = np.array(plane.size) / count / 2
    corners = (*(middle - half), *(middle + half))
    ImageDraw.Draw(drawn).rectangle(corners, outline=FRAME, width=max(2, plane.width // 120))
    return drawn


def _pixel(step: float, extent: int, count: int) -> float:
    """Where a step leads, in pixels; what `clicked` undoes."""
    return ((step / REACH + 1) / 2 * (count - 1) + 0.5) / count * extent


def _walk(
    model: Generator, seed: Any, directions: Any, places: NDArray[np.float32]
) -> NDArray[np.float32]:
    dim = latent_dim(model)
    if dim < 2:
        raise SampleError(f"{model.spec.name!r} has latents of one number: there is no plane.")
    start = latents.normal(check_seed(seed), 1, dim)
    across, _ = np.linalg.qr(latents.normal(check_seed(directions), 2, dim).T)
    found: NDArray[np.float32] = (start + places @ across.T * np.sqrt(dim)).astype(np.float32)
    return found
