"""Style mixing."""

from __future__ import annotations

import numpy as np

from ganzoo import Codes, Draw, Generator
from ganzoo.errors import SampleError
from ganzoo.sampling.code_files import first_of_file
from ganzoo.sampling.styles import mix


def mixed(
    model: Generator,
    draw: Draw,
    *,
    second_seed: int | None = None,
    layers: str = "fine",
    psi: float | None = None,
    file: str | None = None,
) -> Codes:
    """Replace the w of some layers by those of another image ("A Style-Based Generator
    Architecture", Karras et al., 2019, section 3.1, https://arxiv.org/abs/1812.04948).

    Args:
        model: a generator with a mapping network.
        draw: the images to sample.
        second_seed: seed of the other image, whose number is 0; by default 1.
        layers: layers that read its w: ``coarse``, ``middle``, ``fine``, or numbers from 0, such as
            ``0-3`` or ``4,6``.
        psi: truncation, as for `truncated`; by default the generator's own. It does not change the
            w of a file.
        file: instead of a seed, a file of codes, such as one of `ganzoo invert`: the other image is
            the first one of the file.
    """
    if None not in (second_seed, file):
        raise SampleError("pass either second_seed or file to the sampler mixed.")
    if file is None:
        seed = 1 if second_seed is None else second_seed
        z = np.repeat(Draw.of(seed).normal(model.latent_dim), len(draw), axis=0)
        other = Codes(z, draw.y)
    else:
        other = first_of_file(file, model.spec, len(draw))
    own = Codes(draw.normal(model.latent_dim), draw.y)
    styles = mix(model.styles_of(own, psi), model.styles_of(other, psi), layers)
    return Codes(y=draw.y, styles=styles)
