"""The sizes and channels of the maps of networks that double or halve the sides."""

from __future__ import annotations

from collections.abc import Sequence

from ganzoo.errors import ArchitectureError
from ganzoo.spec import ImageSpec

SMALLEST_BASE, LARGEST_BASE = 4, 7  # side of the smallest map; 4 in most papers


def map_sizes(architecture: str, image: ImageSpec, largest: int) -> tuple[tuple[int, int], ...]:
    """Return the heights and widths of a network's maps, from the smallest to the image's.

    Both sides halve equally often, until the shorter one has 4 to 7 pixels.

    Args:
        architecture: registered name of the architecture, for the error.
        image: the images.
        largest: their largest side that the architecture supports.

    Raises:
        ArchitectureError: the shorter side is not 4, 5, 6 or 7 times a power of two from 2 on, the
            longer one is not a multiple of this power, or a side is above `largest`.

    >>> map_sizes("resnet", ImageSpec(28, 28, 1), 256)
    ((7, 7), (14, 14), (28, 28))
    >>> map_sizes("resnet", ImageSpec(16, 24, 3), 256)
    ((4, 6), (8, 12), (16, 24))
    """
    sizes = [(image.height, image.width)]
    while min(sizes[0]) > LARGEST_BASE and not any(side % 2 for side in sizes[0]):
        height, width = sizes[0]
        sizes.insert(0, (height // 2, width // 2))
    fits = SMALLEST_BASE <= min(sizes[0]) <= LARGEST_BASE and len(sizes) > 1
    if not fits or max(sizes[-1]) > largest:
        raise ArchitectureError(
            f"architecture {architecture!r} does not support images of {image}: their shorter side "
            f"must halve to between {SMALLEST_BASE} and {LARGEST_BASE} pixels, such as 28, 32 or "
            f"64, the longer one must halve as often, and both are at most {largest}. Resize the "
            "data (--dataset.size 64 or 48x64, if the dataset has this option), or use "
            "--architecture mlp."
        )
    return tuple(sizes)


def map_widths(sides: Sequence[int], width: int, full_width_side: int) -> tuple[int, ...]:
    """Return the channels of maps: each doubling of the side beyond a side halves them.

    Args:
        sides: sides of the maps; of rectangular ones, the shorter.
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
