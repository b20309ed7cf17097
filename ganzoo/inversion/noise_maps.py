"""Noise maps that are optimised with the code, so that the code need not explain fine detail.

"Analyzing and Improving the Image Quality of StyleGAN" (Karras et al., 2020), appendix D,
https://arxiv.org/abs/1912.04958.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

COARSEST = 8  # pixels of the side up to which a map is pooled


def correlation(maps: Iterable[Tensor]) -> Tensor:
    """Return the sum of squared correlations of neighbouring values at all scales, (n,).

    White noise has no such correlation; the structure of an image has. Pooled maps are multiplied
    by 2, so that the variance of noise stays.

    Args:
        maps: noise maps (n, 1, height, width).
    """
    terms = []
    for noise in maps:
        while True:
            for axis in (2, 3):
                terms.append((noise * noise.roll(1, axis)).mean((1, 2, 3)).square())
            if min(noise.shape[2:]) <= COARSEST:
                break
            noise = 2 * avg_pool2d(noise, 2)
    return torch.stack(terms).sum(0)


@torch.no_grad()
def normalise(maps: Iterable[Tensor]) -> None:
    """Give each map mean 0 and variance 1, in place."""
    for noise in maps:
        noise -= noise.mean((1, 2, 3), keepdim=True)
        noise /= noise.square().mean((1, 2, 3), keepdim=True).sqrt().clamp_min(1e-8)
