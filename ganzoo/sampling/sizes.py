"""How many images a model computes and shows at once, and how it translates large ones."""

from __future__ import annotations

import math

from ganzoo.errors import SampleError
from ganzoo.spec import ImageSpec, ModelSpec

SAMPLES, LARGE_SAMPLES = "samples.png", "samples.webp"
SMALL = 128 * 128  # pixels up to which an image is small
SMALL_BATCH = 16
PREVIEW = 64  # small images in a preview
PREVIEW_PIXELS = 2**20  # of all large images in a preview
LEAST_PREVIEW = 4
AT_ONCE, LARGE_AT_ONCE = 256, 16  # images that a long series keeps in memory
LEGIBLE = 64  # pixels: a grid is enlarged until its images have this width
ANIMATED = 256  # pixels: an animation is enlarged until its sides have this length
MAX_GRID = 4_096  # pixels of the sides of a grid that is enlarged by default
MAX_PIXELS = 2**29  # of a grid or a frame, which take up to 3 GiB while they are written
PADDING = 2  # pixels between the images of a grid
WEBP_SIDE = 16_383  # pixels, by the format
WHOLE = 1024 * 1024  # pixels up to which `ganzoo translate` translates an image whole
TILE = 512  # pixels, the default side of a tile
MAX_TILE_MEMORY = 2**30  # bytes that a tile takes, if its side is not passed
MAX_SHOWN_MEMORY = 2**29  # bytes of the results of a tile on a page
SHOWN_TILE = 256  # pixels, the usual side of a tile on a page
OVERLAP = 32  # pixels, the default overlap of two tiles


def is_large(image: ImageSpec) -> bool:
    """Return whether an image has more pixels than 128x128."""
    return image.height * image.width > SMALL


def choose_compute_batch(image: ImageSpec) -> int:
    """Return how many images a new model computes at once: 16 small ones, or one large one.

    Kernels may round differently at another batch size, so that image k of a seed would depend on
    the number of images. Small images are always computed by sixteen, which is faster for many;
    for one large image, sixteen would cost sixteen times its time and memory.
    """
    return 1 if is_large(image) else SMALL_BATCH


def compute_batch(spec: ModelSpec) -> int:
    """Return how many images a model's network computes at once: as its config states."""
    return spec.compute_batch or choose_compute_batch(spec.data.image)


def preview_count(image: ImageSpec) -> int:
    """Return the number of images in a model's preview: 64, or fewer large ones, at least 4."""
    if not is_large(image):
        return PREVIEW
    n = max(LEAST_PREVIEW, min(PREVIEW, PREVIEW_PIXELS // (image.height * image.width)))
    while max(arrange(n, image.height, image.width)[1:]) > WEBP_SIDE:  # narrow images
        n = max(LEAST_PREVIEW, n // 2)
    return n


def samples_name(image: ImageSpec) -> str:
    """Return the file name of a model's samples: exact PNG, or WebP for large images."""
    return LARGE_SAMPLES if is_large(image) else SAMPLES


def images_at_once(spec: ModelSpec) -> int:
    """Return how many images a long series keeps in memory: a multiple of the computed batch."""
    batch = compute_batch(spec)
    return max(1, (LARGE_AT_ONCE if is_large(spec.data.image) else AT_ONCE) // batch) * batch


def arrange(
    n: int, height: int, width: int, columns: int | None = None, padding: int = PADDING
) -> tuple[int, int, int]:
    """Return the columns of a grid of images, and its height and width in pixels.

    Args:
        n: number of images.
        height: pixels of an image.
        width: pixels of an image.
        columns: images in a row; by default the grid is nearly square.
        padding: pixels between the images, and around them.
    """
    columns = columns or max(1, math.ceil(math.sqrt(max(n, 0))))
    rows = max(1, math.ceil(n / columns))
    return columns, rows * (height + padding) + padding, columns * (width + padding) + padding


def check_size(name: str, height: int, width: int, scale: int = 1) -> None:
    """Check the number of pixels of an image in memory.

    Raises:
        SampleError: there are more than 2**29.
    """
    height, width = height * scale, width * scale
    if height * width > MAX_PIXELS:
        raise SampleError(
            f"{name} of {height:,}x{width:,} pixels is too large: it has at most {MAX_PIXELS:,}. "
            "Pass a smaller scale or fewer images."
        )


def legible_scale(image_width: int, grid_side: int) -> int:
    """Return by which factor to enlarge a grid of images, so that people see the small ones.

    Args:
        image_width: pixels.
        grid_side: pixels of the larger side of the grid.
    """
    return max(1, min(-(-LEGIBLE // image_width), MAX_GRID // grid_side))


def animation_scale(height: int, width: int) -> int:
    """Return by which factor to enlarge the images of an animation, so that people see them.

    Args:
        height: pixels.
        width: pixels.
    """
    return max(1, min(-(-ANIMATED // min(height, width)), MAX_GRID // max(height, width)))
