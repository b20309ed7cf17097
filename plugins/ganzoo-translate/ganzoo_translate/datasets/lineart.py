"""Pictures, and line drawings of them."""

from __future__ import annotations

import functools
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from ganzoo import DataSpec, ImageSpec
from ganzoo.errors import DataError
from ganzoo.sampling.image_files import find_folder, find_image_files, fit_image, read_image
from ganzoo_translate.datasets.checks import (
    check_size,
    take,
)
from ganzoo_translate.datasets.items import Translations


def lineart(
    root: Path | None, *, size: int = 128, thickness: int = 5, start: int = 0, count: int = 0
) -> tuple[Translations[Path], DataSpec]:
    """Any folder of pictures, with its sub-folders, each to be made from a line drawing of itself.

    Pictures are sorted by name. The short side is resized to `size`, the middle cut out; then the
    lines are drawn, as `draw_lines` says.

    Args:
        root: the folder. It is only read.
        size: side of the images in pixels.
        thickness: side of the square that bright parts are widened by, in pixels.
        start: number of the first picture.
        count: number of pictures; 0 for all from the first on.

    Returns:
        Items of uint8 (3, size, size), 0, and the uint8 line drawing (1, size, size).

    Raises:
        DataNotFoundError: no such folder, or no picture in it.
        DataError: a number out of its range; when an image is read that is corrupt, its name.
    """
    check_size("lineart", size)
    if not 2 <= thickness <= size:
        raise DataError(
            f"dataset 'lineart' cannot draw with a thickness of {thickness}: it is 2 to the size, "
            f"{size}. --dataset.thickness 5"
        )
    where = find_folder("lineart", root)
    files = take("lineart", find_image_files(where), start, count)

    spec = DataSpec(
        ImageSpec(size, size, 3),
        origin=f"{len(files)} pictures of the folder {where.name!r} and line drawings of them",
        condition=ImageSpec(size, size, 1),
    )
    return Translations(files, functools.partial(_read, size, thickness)), spec


def _read(size: int, thickness: int, file: Path) -> tuple[Image.Image, Image.Image]:
    image = fit_image(read_image(file), size, size)
    return image, draw_lines(image, thickness)


def draw_lines(picture: Image.Image, thickness: int = 5) -> Image.Image:
    """Return dark lines on white where a picture's brightness changes, mode L.

    The picture in grey is subtracted from itself with bright parts widened (a dilation by a
    square): what differs is an edge.

    Args:
        picture: in RGB.
        thickness: side of the square in pixels.
    """
    grey = cv2.cvtColor(np.asarray(picture), cv2.COLOR_RGB2GRAY)
    widened = cv2.dilate(grey, np.ones((thickness, thickness), np.uint8))
    return Image.fromarray(255 - cv2.absdiff(widened, grey))
