"""Sizes of the images that a translation maps from and to."""

from __future__ import annotations

from ganzoo import DataSpec, ImageSpec
from ganzoo.errors import ArchitectureError


def condition_of(name: str, data: DataSpec) -> ImageSpec:
    """Return the size of the images that `data.image` are made from.

    Raises:
        ArchitectureError: the data has no such images, or of another height or width.
    """
    condition = data.condition
    if condition is None:
        raise ArchitectureError(
            f"architecture {name!r} makes images out of images, and this data has none to make "
            "them from: --dataset paired, lineart or unpaired."
        )
    if (condition.height, condition.width) != (data.image.height, data.image.width):
        raise ArchitectureError(
            f"architecture {name!r} keeps the size of an image, and this data has {condition} to "
            f"make {data.image} from. Resize one of them."
        )
    return condition


def check_counts(name: str, **counts: int) -> None:
    """Refuse a number of channels, blocks or layers that is below 1 or absurd.

    Raises:
        ArchitectureError: names the argument.
    """
    for argument, value in counts.items():
        if not 1 <= value <= 1024:
            raise ArchitectureError(
                f"architecture {name!r} cannot be built with {argument}={value}: it is 1 to 1024. "
                f"--architecture.{argument.replace('_', '-')} N"
            )
