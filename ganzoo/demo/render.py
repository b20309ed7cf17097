"""Render images for the page."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence

from PIL import Image

from ganzoo.demo.drawing import write_drawing
from ganzoo.errors import printable
from ganzoo.sampling.images import ImageBatch

SIDE = 720  # approximate size of an image on the screen, in pixels
MAX_SIDE = 4_096  # of a grid, in pixels
GRIDS = 4  # that a tab keeps: a move of its other sliders draws the same grid


def enlarge_grid(images: ImageBatch, side: int = SIDE, columns: int | None = None) -> Image.Image:
    """Return the grid of images, enlarged by the largest integer factor that fits into a side.

    A grid of large images is reduced to sides of up to 4,096 pixels.
    """
    grid = images.grid(columns)
    grid.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    return enlarge(grid, side)


def enlarge(image: Image.Image, side: int = SIDE) -> Image.Image:
    """Return an image enlarged by the largest integer factor that fits into a side."""
    factor = max(1, side // max(image.size))
    size = (image.width * factor, image.height * factor)
    return image.resize(size, Image.Resampling.NEAREST)


def animation(content: bytes, caption: str, name: str) -> str:
    """Return an animation in WebP with a link to download it, as HTML with a data URL.

    Args:
        content: the file.
        caption: its caption.
        name: file name for the download.
    """
    url = f"data:image/webp;base64,{base64.b64encode(content).decode()}"
    label, file = html.escape(printable(caption)), html.escape(printable(name))
    return (
        f'<figure class="animation"><img src="{url}" alt="{label}"><figcaption>{label}. '
        f'<a href="{url}" download="{file}">Download</a></figcaption></figure>'
    )


def figures(images: Sequence[tuple[str, Image.Image]]) -> str:
    """Return images with captions below them as HTML with data URLs.

    Args:
        images: pairs of caption and image.
    """
    labels = [html.escape(printable(caption)) for caption, _ in images]
    elements = (
        f'<figure><img src="{write_drawing(image)}" alt="{label}">'
        f"<figcaption>{label}</figcaption></figure>"
        for label, (_, image) in zip(labels, images, strict=True)
    )
    return f'<div class="figures">{"".join(elements)}</div>'
