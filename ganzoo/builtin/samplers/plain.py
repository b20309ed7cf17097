"""Latents as in the training."""

from __future__ import annotations

from ganzoo import Codes, Draw, Generator


def plain(model: Generator, draw: Draw) -> Codes:
    """Latents from N(0, 1), with the generator's own truncation."""
    return Codes(draw.normal(model.latent_dim), draw.y)
