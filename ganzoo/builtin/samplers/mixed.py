"""Style mixing."""

from __future__ import annotations

import numpy as np

from ganzoo import Codes, Draw, Generator
from ganzoo.sampling.styles import mix


def mixed(
    model: Generator,
    draw: Draw,
    *,
    second_seed: int = 1,
    layers: str = "fine",
    psi: float | None = None,
) -> Codes:
    """Replace the w of some layers by those of another seed ("A Style-Based Generator
    Architecture", Karras et al., 2019, section 3.1, https://arxiv.org/abs/1812.04948).

    Args:
        model: a generator with a mapping network.
        draw: the images to sample.
        second_seed: seed of the other image, whose number is 0.
        layers: layers that read its w: ``coarse``, ``middle``, ``fine``, or numbers from 0, such as
            ``0-3`` or ``4,6``.
        psi: truncation of both, as for `truncated`; by default the generator's own.
    """
    w = model.map(draw.normal(model.latent_dim), draw.y)
    z = np.repeat(Draw.of(second_seed).normal(model.latent_dim), len(draw), axis=0)
    styles, others = (model.spread(one, psi) for one in (w, model.map(z, draw.y)))
    return Codes(y=draw.y, styles=mix(styles, others, layers))
