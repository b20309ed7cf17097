"""Moves along directions of latent space."""

from __future__ import annotations

from ganzoo import Codes, Draw, Generator
from ganzoo.errors import SampleError
from ganzoo.sampling.code_files import codes_of_draw
from ganzoo.sampling.direction_methods import choose_layers
from ganzoo.sampling.directions import Directions


def directed(
    model: Generator,
    draw: Draw,
    *,
    directions: str,
    number: int = 0,
    strength: float = 2.0,
    layers: str = "",
    psi: float | None = None,
    file: str | None = None,
) -> Codes:
    """Move along a direction of a file that ``ganzoo directions`` wrote.

    Args:
        model: the generator.
        draw: the images to sample.
        directions: the file of directions, such as ``directions.safetensors``.
        number: number of the direction, from 0.
        strength: length of the move, in standard deviations of the model's latents along the
            direction; negative for the opposite direction.
        layers: layers whose w moves, as for `mixed`; by default those of the directions.
        psi: truncation before the move, as for `truncated`; by default the generator's own.
        file: instead of images of seeds, those of a file of codes move, as `stored` returns them.
    """
    known = Directions.read(directions)
    if file is None:
        codes = Codes(draw.normal(model.latent_dim), draw.y)
    elif psi is None:
        codes = codes_of_draw(file, model.spec, draw)
    else:
        raise SampleError("psi truncates images of seeds, not codes of a file. Omit psi.")
    start = known.start(model, codes, psi)
    return known.move(start, number, strength, choose_layers(model, layers) if layers else None)
