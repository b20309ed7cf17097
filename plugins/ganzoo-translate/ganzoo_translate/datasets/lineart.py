"""Images and line drawings of them."""

from __future__ import annotations

import functools
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from ganzoo import DataSpec, ImageSpec
from ganzoo.errors import DataError, quantity
from ganzoo.sampling.corrupt_files import SkipCorrupt
from ganzoo.sampling.image_depth import ValueRange, check_value_range
from ganzoo.sampling.image_files import describe_size, read_image
from ganzoo.sampling.image_fits import Fitting
from ganzoo.sampling.image_folders import find_folder, list_images
from ganzoo.sampling.image_options import ImageOptions
from ganzoo.sampling.image_warnings import ImageFileWarning, warn_of_image
from ganzoo_translate.datasets.checks import make_fitting, select, with_options
from ganzoo_translate.datasets.items import Translations


class FinishedPairWarning(ImageFileWarning):
    """An image that is twice as wide as high, as pairs side by side are."""


@with_options(item="image with its drawing")
def lineart(
    root: Path | None,
    options: ImageOptions,
    *,
    thickness: int = 5,
    start: int = 0,
    count: int = 0,
    value_range: tuple[float, ...] = (),
    skip_corrupt: SkipCorrupt = False,
) -> tuple[Translations[Path], DataSpec]:
    """Any folder of image files, with its sub-folders, each paired with a line drawing of itself.

    Files are sorted by name. Images are fitted to the size. Then `draw_lines` computes the line
    drawing, which is the condition image. A training warns of the number of images that are twice
    as wide as high, as finished pairs are, and of those that `fit` changes much, as for the dataset
    ``folder``. Links are followed as in that dataset.

    Args:
        root: the folder. Nothing is written to it.
        thickness: side of the square that dilates bright parts, in pixels.
        start: index of the first file.
        count: number of files; 0 for all from the first on.
        value_range: values of black and white in grey files, such as 0 4095 for 12 bits; empty for
            the full range of 8 or 16 bits.
        skip_corrupt: replace an image that cannot be read by the next that can, with a warning.

    Returns:
        Items of a uint8 image (3, height, width), the label 0, and the uint8 line drawing
        (1, height, width).

    Raises:
        DataNotFoundError: the folder does not exist or contains no image files.
        DataError: an argument is out of range, or an image is corrupt.
    """
    fitting = make_fitting("lineart", options)
    shorter = min(fitting.height, fitting.width)
    if not 2 <= thickness <= shorter:
        raise DataError(
            f"dataset 'lineart' cannot draw lines with thickness {thickness}. Use "
            f"--dataset.thickness 2 to {shorter}, which is the shorter side of the images."
        )
    ends = check_value_range("lineart", value_range)
    folder = find_folder("lineart", root)
    images = list_images(folder)
    files = select("lineart", images.paths, start, count, images.counts)

    spec = DataSpec(
        ImageSpec(fitting.height, fitting.width, 3),
        origin=(
            f"{quantity(len(files), 'image file')} in the folder {folder.name!r} and their line "
            f"drawings{options.flipped}"
        ),
        condition=ImageSpec(fitting.height, fitting.width, 1),
    )
    counts = images.counts.describe(f"{quantity(len(files), 'image file')}{options.flipped}")
    read = functools.partial(_read, fitting, thickness, folder, ends)
    return Translations(
        files, read, counts, fitting, flip=options.flip, skip_corrupt=skip_corrupt, source=folder
    ), spec


def _read(
    fitting: Fitting, thickness: int, base: Path, ends: ValueRange | None, file: Path
) -> tuple[Image.Image, Image.Image]:
    whole = read_image(file, value_range=ends, background=fitting.background)
    if whole.width == 2 * whole.height:
        warn_of_image(
            FinishedPairWarning,
            f"the image {file} has {describe_size(whole.size)} pixels, so it looks like a "
            "finished pair of images side by side, of which only the middle would be drawn. For "
            "pairs use --dataset paired",
        )
    image = fitting.apply(whole, file, file.relative_to(base).as_posix())
    return image, draw_lines(image, thickness)


def draw_lines(image: Image.Image, thickness: int = 5) -> Image.Image:
    """Return a line drawing of an image: dark edges on white, mode L.

    The edges are the difference between the grey image and its dilation by a square.

    Args:
        image: an RGB image.
        thickness: side of the square in pixels.
    """
    grey = cv2.cvtColor(np.asarray(image), cv2.COLOR_RGB2GRAY)
    dilation = cv2.dilate(grey, np.ones((thickness, thickness), np.uint8))
    return Image.fromarray(255 - cv2.absdiff(dilation, grey))
