"""Images near one image."""

from __future__ import annotations

import math

import numpy as np

from ganzoo import Codes, Draw, Generator
from ganzoo.errors import SampleError


def around(model: Generator, draw: Draw, *, centre_seed: int = 0, distance: float = 0.3) -> Codes:
    """Images between one image and others, at equal distances from the one.

    A model with a mapping network moves in w, on the straight line; any other in z, on the arc, so
    that latents keep the length that the network knows.

    Args:
        model: the generator.
        draw: the other images.
        centre_seed: seed of the one image, whose number is 0.
        distance: 0 for the one image, 1 for the others.
    """
    if not 0 <= distance <= 1:
        raise SampleError(f"distance is {distance}; it must be 0 to 1.")
    z = draw.normal(model.latent_dim)
    centre = np.repeat(Draw.of(centre_seed).normal(model.latent_dim), len(draw), axis=0)
    if model.spec.styles is None:
        # Independent latents are nearly orthogonal and of equal length.
        angle = distance * math.pi / 2
        return Codes(np.float32(math.cos(angle)) * centre + np.float32(math.sin(angle)) * z, draw.y)
    w, middle = model.map(z, draw.y), model.map(centre, draw.y)
    return Codes(styles=model.spread(middle + np.float32(distance) * (w - middle)))
