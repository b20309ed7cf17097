"""The pictures of a bundle: of its model, and of the training that made it."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image, ImageOps

from ganzoo.bundle import CURVES, INTERPOLATION, LOG, RECONSTRUCTIONS
from ganzoo.errors import PlotError, RunNotFoundError
from ganzoo.sampling.generator import MANIFOLD, SAMPLES, Generator, Model
from ganzoo.sampling.images import ImageBatch

DRAWN = (SAMPLES, INTERPOLATION, MANIFOLD)  # of a generator, by its weights alone

BYTES = 80_000  # of a picture: bundles ship in packages
COLOURS = (256, 64, 16)  # to which a larger one is reduced
WAYS = ((0, 1), (2, 3), (4, 5), (6, 7))  # seeds between whose first images is interpolated
STEPS = 10  # images of a way
MARGIN = 8  # white pixels beside a drawing


def keep_pictures(folder: Path, model: Model, *, rebuilt: bool, rounded: bool) -> dict[str, bytes]:
    """Return the pictures of a bundle that are true of what its model becomes, by file name.

    Args:
        folder: the bundle's.
        model: its generator or translator.
        rebuilt: it gets other arguments, which none of its images outlast.
        rounded: its weights are rounded: what can be drawn again is left out, since samples are
            exact. The rest is made of images that only the training had.
    """
    stale: set[str] = set()
    if rebuilt:
        stale = {*DRAWN, RECONSTRUCTIONS}
    elif rounded and isinstance(model, Generator):
        stale = {*DRAWN}
    names = {*DRAWN, RECONSTRUCTIONS, CURVES} - stale
    return {name: (folder / name).read_bytes() for name in names if (folder / name).is_file()}


def draw_model(model: Generator) -> dict[str, bytes]:
    """Return pictures of what a model makes, PNG, by file name.

    These are uncurated samples, ways through the latents and, where latents are pairs, their plane.
    Samples are kept to the last level; the others are of fewer colours where they take too much.
    """
    from ganzoo import plots  # matplotlib takes long to import

    ways = plots.draw_rows(_interpolate(model), columns=STEPS)
    drawn = {INTERPOLATION: encode(plots.to_pil(ways))}
    for name, batch in model.preview_images().items():
        drawn[name] = encode(batch.grid(), exact=name == SAMPLES)
    return drawn


def draw_training(folder: Path) -> dict[str, bytes]:
    """Return pictures of a bundle's training, PNG, by file name; none where its log shows none.

    They leave out the speed, which says more of the machine than of the model.
    """
    from ganzoo import plots

    try:
        lines = plots.read_log((folder / LOG).parent)
        figure = plots.draw_curves([line | {"images_per_second": None} for line in lines])
    except (PlotError, RunNotFoundError):
        return {}
    return {CURVES: encode(_trim(plots.to_pil(figure)))}


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


def _interpolate(model: Generator) -> dict[str, ImageBatch]:
    """Ways between two images each; with classes, each of another class."""
    if "y" not in model.spec.inputs:
        return {f"seed {a} to {b}": model.interpolate(a, b, STEPS) for a, b in WAYS}
    classes, labels = model.spec.data.classes, model.spec.data.labels
    ways = {}
    for k, (a, b) in enumerate(WAYS):
        label = k * classes // len(WAYS)
        name = labels[label] if labels else f"class {label}"
        ways[f"{name}: seed {a} to {b}"] = model.interpolate(a, b, STEPS, label=label)
    return ways


def _trim(picture: Image.Image) -> Image.Image:
    """Cut off what is white right of and below all that is drawn."""
    box = ImageOps.invert(picture).getbbox()
    if not box:
        return picture
    right, bottom = box[2] + MARGIN, box[3] + MARGIN
    return picture.crop((0, 0, min(right, picture.width), min(bottom, picture.height)))


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
