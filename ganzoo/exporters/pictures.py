"""The pictures of a bundle: of its model, and of the training that made it."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from ganzoo.bundle import CURVES, INTERPOLATION, LOG
from ganzoo.errors import PlotError, RunNotFoundError
from ganzoo.generator import SAMPLES, Generator

BYTES = 80_000  # of a picture: bundles ship in packages
COLOURS = (256, 64, 16)  # to which a larger one is reduced
WAYS = ((0, 1), (2, 3), (4, 5), (6, 7))  # seeds between whose first images is interpolated
STEPS = 10  # images of a way


def draw_model(model: Generator) -> dict[str, bytes]:
    """Return pictures of what a model makes, PNG, by file name.

    These are uncurated samples, ways through the latents and, where latents are pairs, their plane.
    Samples are kept to the last level; the others are of fewer colours where they take too much.
    """
    from ganzoo import plots  # matplotlib takes long to import

    ways = {f"seed {a} to {b}": model.interpolate(a, b, STEPS) for a, b in WAYS}
    drawn = {INTERPOLATION: encode(plots.to_pil(plots.draw_rows(ways, columns=STEPS)))}
    for name, batch in model.pictures().items():
        drawn[name] = encode(batch.grid(), exact=name == SAMPLES)
    return drawn


def draw_training(folder: Path) -> dict[str, bytes]:
    """Return pictures of a bundle's training, PNG, by file name; none where its log shows none."""
    from ganzoo import plots

    try:
        figure = plots.draw_curves(plots.read_log((folder / LOG).parent))
    except (PlotError, RunNotFoundError):
        return {}
    return {CURVES: encode(plots.to_pil(figure))}


def encode(picture: Image.Image, *, exact: bool = False) -> bytes:
    """Return a picture as PNG: as it is, or of as many colours as fit in 80 kB.

    Args:
        picture: mode L or RGB.
        exact: whether all its colours stay, however large it is.
    """
    content = _png(picture)
    if exact or len(content) <= BYTES:
        return content
    reduced = [_png(picture.quantize(n, dither=Image.Dither.NONE)) for n in COLOURS]
    return next((each for each in reduced if len(each) <= BYTES), reduced[0])


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
