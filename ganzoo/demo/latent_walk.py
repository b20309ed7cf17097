"""Generate images on a plane of latents around a seed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ganzoo.demo.sampling import as_number, check_seed, latent_dim, max_images, one_class
from ganzoo.errors import SampleError
from ganzoo.sampling import latents
from ganzoo.sampling.generator import Generator
from ganzoo.sampling.images import ImageBatch
from ganzoo.spec import ModelSpec

REACH = 1.5  # largest step, in lengths of a typical latent
SIDE = 9  # images per side of the plane; odd, so that the seed's image is in the middle
FRAME = "#ff4f1f"


def side(spec: ModelSpec) -> int:
    """Return the number of images per side of a model's plane: 9, or 3, 5 or 7 for large images."""
    return max(3, min(SIDE, (math.isqrt(max_images(spec)) - 1) // 2 * 2 + 1))


def step(
    model: Generator, seed: Any, directions: Any, x: Any, y: Any, label: str | None = None
) -> ImageBatch:
    """Generate the image at step `x`, `y` from a seed's image along two directions.

    Args:
        model: a generator whose latents have two numbers at least.
        seed: the seed whose image 0 is at step 0, 0.
        directions: the seed of the two directions, which are orthogonal and as long as a typical
            latent.
        x, y: the step, -1.5 to 1.5 in units of the directions.
        label: a class; None for a model without classes.

    Raises:
        SampleError: an argument is out of range, or the class does not exist.
    """
    steps = np.array([[as_number(value, "step", -REACH, REACH) for value in (x, y)]], np.float32)
    z = _walk(model, seed, directions, steps)
    return model.decode(z, one_class(model, 1, label))


def plane(model: Generator, seed: Any, directions: Any, label: str | None = None) -> ImageBatch:
    """Generate the images of the plane of `step`, `side` per row and column, with y upwards.

    Raises:
        SampleError: as for `step`.
    """
    count = side(model.spec)
    across = np.linspace(-REACH, REACH, count, dtype=np.float32)
    steps = np.array([(x, y) for y in across[::-1] for x in across], np.float32)
    z = _walk(model, seed, directions, steps)
    return ImageBatch(model.decode(z, one_class(model, len(z), label)).numpy(), count)


def step_at_click(position: float, extent: float, count: int = SIDE) -> float:
    """Return the step for a click on the plane's image, along one axis.

    Args:
        position: the click's position, in pixels from the left or from the bottom.
        extent: the image's length along the axis, in pixels.
        count: the number of images along the axis.
    """
    cells = position / extent * count - 0.5  # from the middle of the first image
    return float(np.clip((cells / (count - 1) * 2 - 1) * REACH, -REACH, REACH).round(2))


def draw_frame(plane: Image.Image, x: float, y: float, count: int = SIDE) -> Image.Image:
    """Return the plane's image in RGB with a frame at a step.

    Args:
        plane: the plane's image.
        x, y: the step.
        count: the number of images per side.
    """
    image = plane.convert("RGB")
    middle = np.array(
        [_pixel(x, plane.width, count), plane.height - _pixel(y, plane.height, count)]
    )
    half = np.array(plane.size) / count / 2
    corners = (*(middle - half), *(middle + half))
    ImageDraw.Draw(image).rectangle(corners, outline=FRAME, width=max(2, plane.width // 120))
    return image


def _pixel(step: float, extent: int, count: int) -> float:
    """Return the position of a step in pixels; the inverse of `step_at_click`."""
    return ((step / REACH + 1) / 2 * (count - 1) + 0.5) / count * extent


def _walk(
    model: Generator, seed: Any, directions: Any, steps: NDArray[np.float32]
) -> NDArray[np.float32]:
    dim = latent_dim(model)
    if dim < 2:
        raise SampleError(
            f"{model.spec.name!r} has latents of one number, and a plane needs two. Choose another "
            "model."
        )
    start = latents.normal(check_seed(seed), 1, dim)
    across, _ = np.linalg.qr(latents.normal(check_seed(directions), 2, dim).T)
    z: NDArray[np.float32] = (start + steps @ across.T * np.sqrt(dim)).astype(np.float32)
    return z
