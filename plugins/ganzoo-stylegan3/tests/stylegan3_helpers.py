"""Helpers: tiny networks and recipes on the built-in digits."""

from __future__ import annotations

from typing import Any

import torch

import ganzoo
from ganzoo import DataSpec, ImageSpec, Recipe
from ganzoo.spec import Component

# Small networks are slower with more threads, above all on a busy machine.
torch.set_num_threads(1)

SMALL: dict[str, Any] = {"latent_dim": 6, "style_dim": 5, "width": 3, "widest": 6}
SMALL |= {"layers": 4, "critical_layers": 1, "margin": 2, "label_layers": 2}


def recipe(arguments: dict[str, Any] | None = None, **changes: Any) -> Recipe:
    """Return a recipe that trains in seconds, on scikit-learn's digits at 16x16 pixels."""
    fields: dict[str, Any] = {
        "name": "tiny",
        "architecture": Component("stylegan3", SMALL | (arguments or {})),
        "loss": Component("stylegan2", {"style_mixing": 0.0, "path_length": 0.0}),
        "dataset": Component("digits"),
        "images": 16,
        "batch_size": 4,
        "log_every": 4,
        "sample_every": 0,
        "checkpoint_every": 0,
        "ema_halflife": 50,
    }
    return Recipe(**fields | changes)


def build(side: int = 16, channels: int = 1, classes: int = 0, **arguments: Any) -> dict[str, Any]:
    """Build the networks of the installed plugin."""
    data = DataSpec(ImageSpec(side, side, channels), classes=classes)
    if classes:
        arguments = {"conditioning": "mapping"} | arguments
    return ganzoo.architectures.get("stylegan3")(data, **SMALL | arguments)
