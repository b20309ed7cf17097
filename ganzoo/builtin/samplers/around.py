"""Images near one image."""

from __future__ import annotations

import math

import numpy as np

from ganzoo import Codes, Draw, Generator
from ganzoo.errors import SampleError
from ganzoo.sampling.code_files import first_of_file


def around(
    model: Generator,
    draw: Draw,
    *,
    centre_seed: int | None = None,
    distance: float = 0.3,
    file: str | None = None,
) -> Codes:
    """Images between one image and others, at equal distances from the one.

    A model with a mapping network moves in w, on the straight line; any other in z, on the arc, so
    that latents keep the length that the network knows.

    Args:
        model: the generator.
        draw: the other images.
        centre_seed: seed of the one image, whose number is 0; by default 0.
        distance: 0 for the one image, 1 for the others.
        file: instead of a seed, a file of codes, such as one of `ganzoo invert`: its first code is
            that of the one image. If it states a class, all images have it.
    """
    if not 0 <= distance <= 1:
        raise SampleError(f"distance is {distance}; it must be 0 to 1.")
    if None not in (centre_seed, file):
        raise SampleError("pass either centre_seed or file to the sampler around.")
    if file is None:
        z = Draw.of(centre_seed or 0).normal(model.latent_dim)
        centre = Codes(np.repeat(z, len(draw), axis=0), draw.y)
    else:
        centre = first_of_file(file, model.spec, len(draw))
    z, y = draw.normal(model.latent_dim), draw.y if centre.y is None else centre.y
    if model.spec.styles is None:
        assert centre.z is not None  # guaranteed by the file
        # Independent latents are nearly orthogonal and of equal length.
        angle = distance * math.pi / 2
        return Codes(np.float32(math.cos(angle)) * centre.z + np.float32(math.sin(angle)) * z, y)
    middle, styles = model.styles_of(centre._replace(y=y)), model.styles_of(Codes(z, y))
    return Codes(y=y, styles=middle + np.float32(distance) * (styles - middle))
