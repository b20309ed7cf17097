"""Enlarge an uploaded picture, within a number of pixels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ganzoo.demo.drawing import read_upload
from ganzoo.errors import SampleError
from ganzoo.sampling.tiles import choose_shown_side
from ganzoo.sampling.translation import Translator

MAX_PIXELS = 2**26  # of a result, which the page gets as PNG


class Enlargement(NamedTuple):
    """The result.

    Attributes:
        before: the picture.
        after: the enlarged picture.
        text: both sizes.
    """

    before: Image.Image
    after: Image.Image
    text: str


def upscale(model: Translator, file: Any, progress: Callable[..., Any]) -> Enlargement:
    """Enlarge an uploaded picture as `Translator.upscale` does.

    Args:
        model: a model that reads images of any size.
        file: path of the upload; None if there is none.
        progress: as `gradio.Progress`.

    Raises:
        SampleError: there is no upload, or the result has more than 67 megapixels.
        ImageFileError: as for `ganzoo.demo.drawing.open_upload`.
    """
    if not file:
        raise SampleError("there is no picture yet. Upload one.")
    before = read_upload(file)
    height, width, _ = before.shape
    sizes = model.sizes
    assert sizes is not None  # of `ModelCache.upscalers`
    scale = sizes.scale
    if height * width * scale**2 > MAX_PIXELS:
        raise SampleError(
            f"the result of {width}x{height} pixels would have {scale * width}x{scale * height}, "
            f"and the limit is {MAX_PIXELS / 1e6:.0f} megapixels. Upload a smaller picture, or use "
            "ganzoo upscale."
        )
    after = model.upscale(
        before[None],
        tile=choose_shown_side(sizes),
        progress=lambda share: progress(share, "tiles computed"),
    ).numpy()
    text = f"{width}x{height} pixels became {after.shape[2]}x{after.shape[1]}"
    return Enlargement(_to_pil(before), _to_pil(after[0]), text)


def _to_pil(pixels: NDArray[np.uint8]) -> Image.Image:
    return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
