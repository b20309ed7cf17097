"""The sides and channels of the maps of networks that double or halve the side."""

from __future__ import annotations

from collections.abc import Sequence

from ganzoo.errors import ArchitectureError
from ganzoo.spec import ImageSpec

SMALLEST_BASE, LARGEST_BASE = 4, 7  # side of the smallest map; 4 in most papers


def map_sides(architecture: str, image: ImageSpec, largest: int) -> tuple[int, ...]:
    """Return the sides of a network's maps, from the smallest, of 4 to 7 pixels, to the image's.

    Args:
        architecture: registered name of the architecture, for the error.
        image: the images.
        largest: their largest side that the architecture supports.

    Raises:
        ArchitectureError: the images are not square, or have another side than 4, 5, 6 or 7 times a
            power of two, from 8 to `largest`.

    >>> map_sides("resnet", ImageSpec(28, 28, 1), 256)
    (7, 14, 28)
    """
    sides = [image.height]
    while sides[0] > LARGEST_BASE and sides[0] % 2 == 0:
        sides.insert(0, sides[0] // 2)
    fits = SMALLEST_BASE <= sides[0] <= LARGEST_BASE and len(sides) > 1 and image.height <= largest
    if image.height != image.width or not fits:
        raise ArchitectureError(
            f"architecture {architecture!r} does not support images of {image}: they must be "
            f"square, with a side of {2 * SMALLEST_BASE} to {largest} pixels that halves to "
            f"between {SMALLEST_BASE} and {LARGEST_BASE}, such as 28, 32 or 64. Resize the data "
            "(--dataset.size 64, if the dataset has this option), or use --architecture mlp."
        )
    return tuple(sides)


def map_widths(sides: Sequence[int], width: int, full_width_side: int) -> tuple[int, ...]:
    """Return the channels of maps: each doubling of the side beyond a side halves them.

    Args:
        sides: sides of the maps.
        width: channels of the maps with up to `full_width_side` pixels per side.
        full_width_side: that side.

    >>> map_widths((16, 32, 48, 64, 256), 80, 32)
    (80, 80, 40, 40, 10)
    """
    widths = []
    for side in sides:
        divisor = 1
        while side > divisor * full_width_side:
            divisor *= 2
        widths.append(width // divisor)
    return tuple(widths)
