"""Draw the figures of a bundle: samples of its model and curves of its training."""

from __future__ import annotations

import io

from PIL import Image, ImageOps

from ganzoo.bundle import CURVES, INTERPOLATION, LOG, RECONSTRUCTIONS, Bundle
from ganzoo.errors import PlotError, RunNotFoundError
from ganzoo.sampling.generator import MANIFOLD, Generator
from ganzoo.sampling.images import ImageBatch
from ganzoo.sampling.model import Model
from ganzoo.sampling.sizes import LARGE_SAMPLES, SAMPLES, is_large

# Drawn from a generator's weights alone.
MODEL_FIGURES = (SAMPLES, LARGE_SAMPLES, INTERPOLATION, MANIFOLD)

MAX_BYTES = 80_000  # of a figure: bundles ship in packages
QUALITY = 90  # of WebP
COLOURS = (256, 64, 16)  # palette sizes for a figure that is larger
SEED_PAIRS = ((0, 1), (2, 3), (4, 5), (6, 7))  # ends of the interpolations
LARGE_PAIRS = 1  # pairs for images of more than 128x128 pixels
STEPS = 10  # images of an interpolation
MARGIN = 8  # white pixels around a figure


def keep_figures(
    bundle: Bundle, model: Model, *, has_new_arguments: bool, has_new_precision: bool
) -> dict[str, bytes]:
    """Return the figures of a bundle that stay valid after an export, by file name.

    Args:
        bundle: the bundle.
        model: its generator or translator.
        has_new_arguments: whether the model gets other arguments, which change all its images.
        has_new_precision: whether its weights are rounded. Samples must be exact, so figures that
            can be drawn again are dropped. The others show images that only the training had.
    """
    stale: set[str] = set()
    if has_new_arguments:
        stale = {*MODEL_FIGURES, RECONSTRUCTIONS}
    elif has_new_precision and isinstance(model, Generator):
        stale = {*MODEL_FIGURES}
    names = {*MODEL_FIGURES, RECONSTRUCTIONS, CURVES} - stale
    return {name: bundle.file(name).read_bytes() for name in names if bundle.holds(name)}


def draw_model(model: Generator) -> dict[str, bytes]:
    """Return figures of a model's images, by file name.

    The figures are uncurated samples, interpolations and, for latents of two numbers, their plane.
    Samples of small images keep every pixel value and those of large images are WebP; the other
    figures are PNG with fewer colours if they are too large.
    """
    from ganzoo import plots  # matplotlib takes long to import

    rows = plots.draw_rows(_interpolate(model), columns=STEPS)
    figures = {INTERPOLATION: encode(plots.to_pil(rows))}
    for name, batch in model.preview_images().items():
        grid = batch.grid(scale=None)
        figures[name] = (
            _webp(grid) if name == LARGE_SAMPLES else encode(grid, exact=name == SAMPLES)
        )
    return figures


def draw_training(bundle: Bundle) -> dict[str, bytes]:
    """Return the curves of a bundle's training as PNG, by file name; empty without a usable log.

    The curves leave out the training speed, which depends on the machine.
    """
    from ganzoo import plots

    if not bundle.holds(LOG):
        return {}
    try:
        lines = plots.read_log(bundle.file(LOG).parent)
        figure = plots.draw_curves([line | {"images_per_second": None} for line in lines])
    except (PlotError, RunNotFoundError):
        return {}
    return {CURVES: encode(_trim(plots.to_pil(figure)))}


def encode(figure: Image.Image, *, exact: bool = False) -> bytes:
    """Return a figure as PNG, with fewer colours if it is larger than 80 kB.

    Args:
        figure: mode L or RGB.
        exact: whether to keep all colours at any size.
    """
    content = _png(figure)
    if exact or len(content) <= MAX_BYTES:
        return content
    candidates = [_png(figure.quantize(n, dither=Image.Dither.NONE)) for n in COLOURS]
    return next((png for png in candidates if len(png) <= MAX_BYTES), candidates[0])


def _interpolate(model: Generator) -> dict[str, ImageBatch]:
    """Interpolate between pairs of seeds; with classes, each pair uses another class."""
    pairs = SEED_PAIRS[:LARGE_PAIRS] if is_large(model.spec.data.image) else SEED_PAIRS
    if "y" not in model.spec.inputs:
        return {f"seed {a} to {b}": model.interpolate(a, b, STEPS) for a, b in pairs}
    names, named = model.spec.data.class_names, bool(model.spec.data.labels)
    rows = {}
    for k, (a, b) in enumerate(pairs):
        label = names[k * len(names) // len(pairs)]
        name = label if named else f"class {label}"
        rows[f"{name}: seed {a} to {b}"] = model.interpolate(a, b, STEPS, label=label)
    return rows


def _trim(figure: Image.Image) -> Image.Image:
    """Cut off the white border on the right and at the bottom."""
    box = ImageOps.invert(figure).getbbox()
    if not box:
        return figure
    right, bottom = box[2] + MARGIN, box[3] + MARGIN
    return figure.crop((0, 0, min(right, figure.width), min(bottom, figure.height)))


def _webp(figure: Image.Image) -> bytes:
    buffer = io.BytesIO()
    figure.save(buffer, "WEBP", quality=QUALITY)
    return buffer.getvalue()


def _png(figure: Image.Image) -> bytes:
    buffer = io.BytesIO()
    figure.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
