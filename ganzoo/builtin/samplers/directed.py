"""Moves along directions of latent space."""

from __future__ import annotations

from ganzoo import Codes, Draw, Generator
from ganzoo.sampling.direction_methods import choose_layers
from ganzoo.sampling.directions import Directions


def directed(
    model: Generator,
    draw: Draw,
    *,
    file: str,
    number: int = 0,
    strength: float = 2.0,
    layers: str = "",
    psi: float | None = None,
) -> Codes:
    """Move along a direction of a file that ``ganzoo directions`` wrote.

    Args:
        model: the generator.
        draw: the images to sample.
        file: the file, such as ``directions.safetensors``.
        number: number of the direction, from 0.
        strength: length of the move, in standard deviations of the model's latents along the
            direction; negative for the opposite direction.
        layers: layers whose w moves, as for `mixed`; by default those of the file.
        psi: truncation before the move, as for `truncated`; by default the generator's own.
    """
    directions = Directions.read(file)
    codes = directions.start(model, draw, psi)
    return directions.move(
        codes, number, strength, choose_layers(model, layers) if layers else None
    )
