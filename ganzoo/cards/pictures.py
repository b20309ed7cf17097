"""The pictures of a bundle, and what each shows."""

from __future__ import annotations

from ganzoo.bundle import CURVES, INTERPOLATION, RECONSTRUCTIONS
from ganzoo.cards.subject import Subject
from ganzoo.generator import MANIFOLD, PREVIEW_CLASSES, SAMPLES


def render(subject: Subject) -> str:
    """Return the pictures that the bundle has, each above what it shows."""
    captions = {
        SAMPLES: caption(subject),
        INTERPOLATION: "From one seed's first image to another's, along the arc between latents.",
        MANIFOLD: "The plane of latents, in steps that N(0, 1) makes equally likely.",
        RECONSTRUCTIONS: (
            "In turn: a row of the training data's first images, and of their reconstructions."
        ),
    }
    shown = [
        f"![{name.removesuffix('.png')}]({name})\n\n{said}\n"
        for name, said in captions.items()
        if name in subject.digests
    ]
    return "\n".join(shown) or "The bundle holds no pictures.\n"


def render_curves(subject: Subject) -> str:
    """Return the picture of the training's course, nothing where there is none."""
    if CURVES not in subject.digests:
        return ""
    return f"![training curves]({CURVES})\n"


def caption(subject: Subject) -> str:
    """Say what the picture of samples shows."""
    spec = subject.spec
    if "source" in spec.inputs:
        return "In turn: a row of sources, what the model makes of them, what they belong to."
    if "y" in spec.inputs and spec.data.classes <= PREVIEW_CLASSES:
        return "A row of each class, a column of one latent, seed 0, uncurated."
    return "Images 0 to 63 of seed 0, uncurated."
