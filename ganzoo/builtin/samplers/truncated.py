"""Truncation: less variety, better quality."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from ganzoo import Codes, Draw, Generator
from ganzoo.errors import SampleError

LARGEST = 10.0  # threshold beyond which float32 has no draw from N(0, 1)


def truncated(
    model: Generator, draw: Draw, *, psi: float = 0.7, cutoff: int | None = None
) -> Codes:
    """Move w towards its average ("A Style-Based Generator Architecture", Karras et al., 2019,
    appendix B, https://arxiv.org/abs/1812.04948).

    Args:
        model: a generator with a mapping network.
        draw: the images to sample.
        psi: factor of the distance from the average, -2 to 2: 1 for none, 0 for the average image.
        cutoff: number of layers that read the moved w; by default all.
    """
    if model.spec.styles is None:
        raise SampleError(
            f"{model.spec.name!r} has no w to truncate: it has no mapping network, as a StyleGAN "
            "has. Truncate z with the sampler truncated-normal, threshold=2."
        )
    z = Codes(draw.normal(model.latent_dim), draw.y)
    return Codes(y=draw.y, styles=model.styles_of(z, psi, cutoff))


def truncated_normal(model: Generator, draw: Draw, *, threshold: float = 2.0) -> Codes:
    """Draw again the values of z beyond a threshold ("Large Scale GAN Training for High Fidelity
    Natural Image Synthesis", Brock et al., 2019, section 3.1, https://arxiv.org/abs/1809.11096).

    Args:
        model: the generator.
        draw: the images to sample.
        threshold: largest magnitude of a value, above 0 and up to 10.
    """
    if not 0 < threshold <= LARGEST:
        raise SampleError(
            f"the threshold, or --truncation, of z is {threshold}; it must be above 0 and at most "
            f"{LARGEST:g}."
        )
    z, normal = draw.normal(model.latent_dim), NormalDist()
    beyond = np.abs(z) > threshold
    # Inverse of the distribution function of N(0, 1) on [-threshold, threshold].
    low, high = normal.cdf(-threshold), normal.cdf(threshold)
    u = low + draw.uniform(model.latent_dim)[beyond] * (high - low)
    z[beyond] = [normal.inv_cdf(value) for value in u]
    return Codes(np.clip(z, -threshold, threshold), draw.y)
