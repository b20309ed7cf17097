"""Files of pictures: what a file's ending asks for, and how it is written."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from ganzoo.bundle.files import write_file
from ganzoo.errors import OutputError
from ganzoo.plots.style import styled

FIGURES = (".png", ".svg")
ANIMATIONS = (".gif", ".webp")

FRAME_MS = 300  # how long a frame of an animation is seen
LAST_FRAME_MS = 2_000  # and its last one
WEBP_QUALITY = 90


def check_ending(path: Path, endings: Sequence[str]) -> None:
    """Refuse a file whose ending names none of the formats there are.

    Raises:
        OutputError: says which there are.
    """
    if path.suffix.lower() not in endings:
        raise OutputError(
            f"cannot write this picture as {path.name!r}: its ending is {path.suffix!r}, and there "
            f"are {', '.join(endings)}. Type -o {path.stem or 'picture'}{endings[0]}, for example."
        )


@styled
def save_figure(figure: Figure, path: Path) -> Path:
    """Write a figure as PNG or SVG, as the file's ending says.

    Raises:
        OutputError: another ending, or the file cannot be written.
    """
    check_ending(path, FIGURES)
    kind = path.suffix.lower().removeprefix(".")
    buffer = io.BytesIO()
    # No date in it: the same picture gives the same file.
    figure.savefig(buffer, format=kind, metadata={"Date": None} if kind == "svg" else None)
    write_file(path, buffer.getvalue())
    return path


def save_animation(
    frames: Sequence[Image.Image],
    path: Path,
    *,
    frame_ms: int = FRAME_MS,
    last_frame_ms: int = LAST_FRAME_MS,
) -> Path:
    """Write frames as an endless GIF or WebP animation, as the file's ending says.

    Args:
        frames: pictures of one size.
        path: the file.
        frame_ms: how long a frame is seen, in milliseconds.
        last_frame_ms: how long the last one is.

    Raises:
        OutputError: another ending, or the file cannot be written.
    """
    check_ending(path, ANIMATIONS)
    first, *others = frames
    durations = [frame_ms] * len(others) + [last_frame_ms]
    kind = path.suffix.lower().removeprefix(".")
    options = {"quality": WEBP_QUALITY} if kind == "webp" else {"optimize": True}
    buffer = io.BytesIO()
    first.save(
        buffer, kind, save_all=True, append_images=others, duration=durations, loop=0, **options
    )
    write_file(path, buffer.getvalue())
    return path


@styled
def to_pil(figure: Figure) -> Image.Image:
    """Return a figure as an RGB picture, as a PNG of it would be."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    pixels = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    return Image.fromarray(pixels).convert("RGB")
