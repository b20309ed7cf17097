"""Pictures as a page shows them."""

from __future__ import annotations

import html
from collections.abc import Sequence

from PIL import Image

from ganzoo.demo.drawing import write_drawing
from ganzoo.sampling.images import ImageBatch

SIDE = 640  # pixels of a picture on the screen, about


def enlarged(images: ImageBatch, side: int = SIDE, columns: int | None = None) -> Image.Image:
    """Return the grid of images, every pixel as many times as it fits into a side."""
    return enlarge(images.grid(columns), side)


def enlarge(picture: Image.Image, side: int = SIDE) -> Image.Image:
    """Return a picture whose pixels are whole squares, as large as it fits into a side."""
    factor = max(1, side // max(picture.size))
    size = (picture.width * factor, picture.height * factor)
    return picture.resize(size, Image.Resampling.NEAREST)


def figures(pictures: Sequence[tuple[str, Image.Image]]) -> str:
    """Return pictures, each above its caption, as HTML that names nothing outside it."""
    each = (
        f'<figure><img src="{write_drawing(picture)}" alt="{html.escape(caption)}">'
        f"<figcaption>{html.escape(caption)}</figcaption></figure>"
        for caption, picture in pictures
    )
    return f'<div class="figures">{"".join(each)}</div>'
