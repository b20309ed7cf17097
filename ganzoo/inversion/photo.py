"""A photo as a model sees it: resized, and cropped at the centre."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from ganzoo.sampling.image_files import fit_image, read_image
from ganzoo.sampling.images import ImageBatch
from ganzoo.spec import ImageSpec

PALE = 0.35  # strength of the parts that a crop drops


class Photo(NamedTuple):
    """A photo.

    Attributes:
        image: the photo in the size of the model, a batch of one.
        whole: if it was cropped, the whole photo in the same size, its lost parts pale.
        crop: if it was cropped, a text about it; else empty.
    """

    image: ImageBatch
    whole: ImageBatch | None = None
    crop: str = ""

    def beside(self, image: ImageBatch) -> ImageBatch:
        """Return a row: the whole photo if it was cropped, the photo, and an image of its size."""
        batches = [self.image, image] if self.whole is None else [self.whole, self.image, image]
        return ImageBatch(np.concatenate([batch.numpy() for batch in batches]), len(batches))


def read_photo(file: str | Path, size: ImageSpec) -> Photo:
    """Read an image file.

    Raises:
        DataError: the file does not exist, or is no image.

    Warns:
        CropWarning: the crop drops half of the pixels or more.
    """
    return fit_photo(read_image(file, "RGB" if size.channels == 3 else "L"), size, file)


def fit_photo(image: Image.Image, size: ImageSpec, name: str | Path) -> Photo:
    """Resize a photo by its short side and crop its centre.

    Args:
        image: the photo, in mode RGB or L as the model's images are.
        size: the size of the model's images.
        name: name of the photo in warnings and in the text about the crop.

    Warns:
        CropWarning: the crop drops half of the pixels or more.
    """
    fitted = _to_batch(fit_image(image, size.width, size.height, name))
    scale = min(image.width / size.width, image.height / size.height)
    width, height = round(size.width * scale), round(size.height * scale)
    if (width, height) == image.size:
        return Photo(fitted)
    text = (
        f"{name} has {image.height}x{image.width} pixels (height x width); its centre of "
        f"{height}x{width} is used"
    )
    return Photo(fitted, _to_batch(_draw_crop(image, width, height, size)), text)


def _draw_crop(image: Image.Image, width: int, height: int, size: ImageSpec) -> Image.Image:
    """Return the whole photo on white, in a size, with all but the centre pale."""
    left, top = (image.width - width) // 2, (image.height - height) // 2
    centre = image.crop((left, top, left + width, top + height))
    pale = Image.blend(Image.new(image.mode, image.size, "white"), image, PALE)
    pale.paste(centre, (left, top))
    pale.thumbnail((size.width, size.height), Image.Resampling.LANCZOS)
    canvas = Image.new(image.mode, (size.width, size.height), "white")
    canvas.paste(pale, ((size.width - pale.width) // 2, (size.height - pale.height) // 2))
    return canvas


def _to_batch(image: Image.Image) -> ImageBatch:
    return ImageBatch(np.asarray(image).reshape(1, image.height, image.width, -1))
