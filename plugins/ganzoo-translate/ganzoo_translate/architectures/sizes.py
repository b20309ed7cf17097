"""Checks of image sizes and arguments of the architectures."""

from __future__ import annotations

from ganzoo import DataSpec, ImageSpec
from ganzoo.errors import ArchitectureError


def condition_of(name: str, data: DataSpec) -> ImageSpec:
    """Return the spec of the condition images.

    Raises:
        ArchitectureError: the data has no condition images, or their height or width differs from
            that of the images.
    """
    condition = data.condition
    if condition is None:
        raise ArchitectureError(
            f"architecture {name!r} translates images, but this data has no condition images. Use "
            "--dataset paired, lineart or unpaired."
        )
    if (condition.height, condition.width) != (data.image.height, data.image.width):
        raise ArchitectureError(
            f"architecture {name!r} cannot change the size of an image, but this data has "
            f"conditions of {condition} and images of {data.image}. Resize one of them."
        )
    return condition


def check_counts(name: str, **counts: int) -> None:
    """Raise an error if a number of channels, blocks or layers is not valid.

    Raises:
        ArchitectureError: an argument is not in 1 to 1024.
    """
    for argument, value in counts.items():
        if not 1 <= value <= 1024:
            raise ArchitectureError(
                f"architecture {name!r} cannot be built with {argument}={value}. Use "
                f"--architecture.{argument.replace('_', '-')} 1 to 1024."
            )
