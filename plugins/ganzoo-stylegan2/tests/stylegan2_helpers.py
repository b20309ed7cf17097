"""Helpers: tiny networks and recipes on the built-in digits."""

from __future__ import annotations

from typing import Any

import torch

import ganzoo
from ganzoo import DataSpec, ImageSpec, Recipe
from ganzoo.spec import Component

# Small networks are slower with more threads, above all on a busy machine.
torch.set_num_threads(1)

SMALL = {"latent_dim": 6, "style_dim": 5, "mapping_layers": 2, "width": 4, "widest": 8}


def recipe(arguments: dict[str, Any] | None = None, **changes: Any) -> Recipe:
    """Return a recipe that trains in seconds."""
    fields: dict[str, Any] = {
        "name": "tiny",
        "architecture": Component("stylegan2", SMALL | (arguments or {})),
        "loss": Component("stylegan2"),
        "dataset": Component("digits"),
        "images": 48,
        "batch_size": 8,
        "log_every": 16,
        "sample_every": 0,
        "checkpoint_every": 24,
        "ema_halflife": 50,
    }
    return Recipe(**fields | changes)


def build(side: int = 16, channels: int = 1, classes: int = 0, **arguments: Any) -> dict[str, Any]:
    """Build the networks of the installed plugin."""
    data = DataSpec(ImageSpec(side, side, channels), classes=classes)
    if classes:
        arguments = {"conditioning": "projection"} | arguments
    return ganzoo.architectures.get("stylegan2")(data, **SMALL | arguments)


def noise(*shape: int, seed: int = 0, **like: Any) -> torch.Tensor:
    """Return numbers from N(0, 1), float64."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64, **like)
