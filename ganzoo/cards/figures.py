"""The figures of a bundle and their captions."""

from __future__ import annotations

from ganzoo.bundle import CURVES, INTERPOLATION, RECONSTRUCTIONS
from ganzoo.cards.context import CardContext
from ganzoo.sampling.generator import MANIFOLD, has_class_rows
from ganzoo.sampling.sizes import preview_count

CAPTIONS = {
    INTERPOLATION: (
        "Interpolations between the first images of two seeds, along the arc between their latents."
    ),
    MANIFOLD: "The plane of latents, in steps of equal probability under N(0, 1).",
    RECONSTRUCTIONS: ("Alternating rows: images of the training data, and their reconstructions."),
}
CURVES_CAPTION = "Training curves: the loss terms of each player, and the logged metrics."


def render_samples(context: CardContext) -> str:
    """Return the figure of the model's samples, with its caption."""
    if not context.samples:
        return "The bundle contains no sample images.\n"
    return _figure(context.samples, caption(context))


def render_figures(context: CardContext) -> str:
    """Return the bundle's other figures, each with its caption."""
    figures = [_figure(name, text) for name, text in CAPTIONS.items() if name in context.digests]
    return "\n".join(figures) or "The bundle contains no other figures.\n"


def render_curves(context: CardContext) -> str:
    """Return the figure of the training curves; empty if the bundle has none."""
    return _figure(CURVES, CURVES_CAPTION) if CURVES in context.digests else ""


def caption(context: CardContext) -> str:
    """Return the caption of the samples."""
    spec = context.spec
    if "condition" in spec.inputs:
        return (
            "Alternating rows: input images of the training data, the model's translations, and "
            "their targets."
        )
    if has_class_rows(spec):
        return "One row per class, one latent per column, seed 0, uncurated."
    return f"Images 0 to {preview_count(spec.data.image) - 1} of seed 0, uncurated."


def _figure(name: str, text: str) -> str:
    return f"![{name.partition('.')[0]}]({name})\n\n{text}\n"
