"""The pictures of a bundle, and what each shows."""

from __future__ import annotations

from ganzoo.bundle import CURVES, INTERPOLATION, RECONSTRUCTIONS
from ganzoo.cards.context import CardContext
from ganzoo.sampling.generator import MANIFOLD, PREVIEW_CLASSES, SAMPLES

OTHERS = {
    INTERPOLATION: "From one seed's first image to another's, along the arc between latents.",
    MANIFOLD: "The plane of latents, in steps that N(0, 1) makes equally likely.",
    RECONSTRUCTIONS: (
        "In turn: a row of the training data's first images, and of their reconstructions."
    ),
}
CURVES_SAID = "The course of the training: each player's terms, and what was watched."


def render_samples(context: CardContext) -> str:
    """Return the picture that stands for the model."""
    if SAMPLES not in context.digests:
        return "The bundle holds no picture of its samples.\n"
    return _figure(SAMPLES, caption(context))


def render_others(context: CardContext) -> str:
    """Return what other pictures the bundle has, each above what it shows."""
    shown = [_figure(name, said) for name, said in OTHERS.items() if name in context.digests]
    return "\n".join(shown) or "The bundle holds no other pictures.\n"


def render_curves(context: CardContext) -> str:
    """Return the picture of the training's course, nothing where there is none."""
    return _figure(CURVES, CURVES_SAID) if CURVES in context.digests else ""


def caption(context: CardContext) -> str:
    """Say what the picture of samples shows."""
    spec = context.spec
    if "condition" in spec.inputs:
        return "In turn: a row of conditions, what the model makes of them, what they belong to."
    if "y" in spec.inputs and spec.data.classes <= PREVIEW_CLASSES:
        return "A row of each class, a column of one latent, seed 0, uncurated."
    return "Images 0 to 63 of seed 0, uncurated."


def _figure(name: str, said: str) -> str:
    return f"![{name.removesuffix('.png')}]({name})\n\n{said}\n"
