"""Files of figures and animations; the file name extension determines the format."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from ganzoo.bundle.files import write_file
from ganzoo.errors import OutputError, printable, shell_word
from ganzoo.plots.style import styled

FIGURES = (".png", ".svg")
ANIMATIONS = (".gif", ".webp")

FRAME_MS = 300  # duration of a frame, in milliseconds
LAST_FRAME_MS = 2_000  # duration of the last frame
WEBP_QUALITY = 90


def check_ending(path: Path, endings: Sequence[str]) -> None:
    """Raise an error if a file name extension is not in `endings`.

    Raises:
        OutputError: the extension is not supported.
    """
    if path.suffix.lower() not in endings:
        raise OutputError(
            f"cannot write {path.name!r}: the extension {path.suffix!r} is not one of "
            f"{', '.join(endings)}. Use for example -o "
            f"{shell_word(path.stem or 'figure')}{endings[0]}."
        )


@styled
def save_figure(figure: Figure, path: Path) -> Path:
    """Write a figure as PNG or SVG.

    Args:
        figure: the figure.
        path: the file; its extension determines the format.

    Returns:
        The path.

    Raises:
        OutputError: the extension is not supported, or the file cannot be written.
    """
    check_ending(path, FIGURES)
    kind = path.suffix.lower().removeprefix(".")
    _escape_texts(figure)
    buffer = io.BytesIO()
    # Without a date, the same figure gives the same file.
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
    """Write frames as an endless GIF or WebP animation.

    Args:
        frames: images of the same size.
        path: the file; its extension determines the format.
        frame_ms: duration of a frame, in milliseconds.
        last_frame_ms: duration of the last frame, in milliseconds.

    Returns:
        The path.

    Raises:
        OutputError: the extension is not supported, or the file cannot be written.
    """
    check_ending(path, ANIMATIONS)
    first, *rest = frames
    durations = [frame_ms] * len(rest) + [last_frame_ms]
    kind = path.suffix.lower().removeprefix(".")
    options = {"quality": WEBP_QUALITY} if kind == "webp" else {"optimize": True}
    buffer = io.BytesIO()
    first.save(
        buffer, kind, save_all=True, append_images=rest, duration=durations, loop=0, **options
    )
    write_file(path, buffer.getvalue())
    return path


@styled
def to_pil(figure: Figure) -> Image.Image:
    """Return a figure as an RGB image, with the same pixels as its PNG file."""
    _escape_texts(figure)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    pixels = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    return Image.fromarray(pixels).convert("RGB")


def _escape_texts(figure: Figure) -> None:
    """Escape control characters of foreign names, which no SVG may contain."""
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        text.set_text(printable(text.get_text()))
