"""Helpers: tiny networks and recipes."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

import ganzoo
from ganzoo import DataSpec, ImageSpec, Recipe
from ganzoo.spec import Component

# Small networks are slower with more threads, above all on a busy machine.
torch.set_num_threads(1)

SMALL = {"latent_dim": 5, "width": 16, "blocks": 1, "group_size": 8}


def build(side: int = 16, channels: int = 1, **arguments: Any) -> dict[str, nn.Module]:
    """Build the networks of the installed plugin, for three classes."""
    data = DataSpec(ImageSpec(side, side, channels), classes=3)
    return ganzoo.architectures.get("r3gan")(data, **SMALL | arguments)


def wake(nets: dict[str, nn.Module]) -> dict[str, nn.Module]:
    """Set every weight to a random value, since initial blocks are the identity."""
    torch.manual_seed(0)
    with torch.no_grad():
        for net in nets.values():
            for weight in net.parameters():
                weight.add_(0.1 * torch.randn_like(weight))
    return nets


def recipe(**changes: Any) -> Recipe:
    """Return a recipe that trains in a second, on scikit-learn's digits at 16x16 pixels."""
    arguments = changes.pop("arguments", {})
    fields: dict[str, Any] = {
        "name": "tiny",
        "architecture": Component("r3gan", SMALL | arguments),
        "loss": Component("r3gan", {"r1": 1.0, "r2": 1.0}),
        "dataset": Component("digits"),
        "images": 24,
        "batch_size": 4,
        "log_every": 4,
        "sample_every": 0,
        "checkpoint_every": 0,
        "ema_halflife": 50,
    }
    return Recipe(**fields | changes)
