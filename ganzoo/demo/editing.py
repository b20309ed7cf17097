"""Change the image of a seed: mix its styles with another one, or move it along directions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ganzoo.demo.sampling import as_number, check_psi, check_seed, classes
from ganzoo.errors import printable, quantity
from ganzoo.sampling.directions import Directions
from ganzoo.sampling.generator import Generator
from ganzoo.sampling.images import ImageBatch
from ganzoo.sampling.samplers import Draw

REACH = 3.0  # largest strength of a move, in standard deviations
METHODS = {
    "sefa": "SeFa, from the weights",
    "ganspace": "GANSpace, from random latents",
    "classes": "to the classes of an extractor",
}


def describe(directions: Directions | None) -> str:
    """Return a line about the directions of a model; None if they are still to be computed."""
    if directions is None:
        return "Computing the directions of this model. A large one takes some seconds."
    count = quantity(len(directions), "direction")
    method = METHODS.get(directions.method, directions.method)
    return printable(f"{count} in {directions.space}: {method}")


def mix(
    model: Generator, seed: Any, second_seed: Any, layers: str, psi: Any, label: str | None = None
) -> ImageBatch:
    """Generate the image of a seed, the same with the w of another seed in some layers, and the
    image of the other seed.

    Args:
        model: a generator with a mapping network.
        seed: the seed.
        second_seed: the other seed.
        layers: layers that read the w of the other seed, see `parse_layers`.
        psi: truncation of both, -2 to 2.
        label: a class, by default the first; ignored for a model without classes.

    Raises:
        SampleError: an argument is out of range, or a layer does not exist.
    """
    psi, first = check_psi(psi), _draw(model, seed, label)
    second = _draw(model, second_seed, label)
    options = {"second_seed": check_seed(second_seed), "layers": str(layers), "psi": psi}
    codes = [
        model.codes(first, "truncated", psi=psi),
        model.codes(first, "mixed", **options),
        model.codes(second, "truncated", psi=psi),
    ]
    return ImageBatch(np.concatenate([model.render(each).numpy() for each in codes]), 3)


def move(
    model: Generator,
    directions: Directions,
    seed: Any,
    strengths: Sequence[Any],
    psi: Any = None,
    label: str | None = None,
) -> ImageBatch:
    """Generate the image of a seed, moved along directions.

    Args:
        model: the generator.
        directions: directions of its latent space.
        seed: the seed.
        strengths: of each direction, -3 to 3 standard deviations; those of directions that do not
            exist are ignored.
        psi: truncation before the move, for a model with a mapping network.
        label: as for `mix`.

    Raises:
        SampleError: an argument is out of range, or the directions do not fit the model.
    """
    codes = model.codes(_draw(model, seed, label))
    codes = directions.start(model, codes, check_psi(psi) if model.spec.styles else None)
    for number, strength in enumerate(strengths[: len(directions)]):
        codes = directions.move(codes, number, as_number(strength, "strength", -REACH, REACH))
    return model.render(codes)


def _draw(model: Generator, seed: Any, label: str | None) -> Draw:
    return model.draw_seeds([check_seed(seed)], label if classes(model.spec) else None)
