"""Recipes that train in a second, and how to play one."""

from __future__ import annotations

from typing import Any

from ganzoo.spec import Component, Recipe
from ganzoo.training import Prepared
from ganzoo.training.loop import run_ticks


def tiny(**changes: Any) -> Recipe:
    """A recipe that trains in a second."""
    fields: dict[str, Any] = {
        "name": "tiny",
        "architecture": Component("dcgan", {"latent_dim": 8, "width": 4}),
        "loss": Component("nonsaturating"),
        "dataset": Component("digits"),
        "images": 64,
        "batch_size": 16,
        "log_every": 16,
        "sample_every": 0,
        "checkpoint_every": 32,
        "ema_halflife": 50,
    }
    return Recipe(**fields | changes)


def play(prepared: Prepared) -> None:
    """Train to the end, with nothing logged."""
    run_ticks(
        prepared.state,
        prepared.batches,
        log_term=lambda *a: None,
        log_metric=lambda *a: None,
        report=lambda: True,
    )
