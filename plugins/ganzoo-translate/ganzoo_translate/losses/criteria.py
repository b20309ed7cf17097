"""Criteria of discriminators and generators, for each patch."""

from __future__ import annotations

from dataclasses import replace

from torch.nn.functional import softplus

from ganzoo.games import Criterion

# With D = sigmoid(logit): -log D = softplus(-logit), -log(1 - D) = softplus(logit).
NONSATURATING = Criterion(
    d=lambda real, fake: softplus(-real) + softplus(fake),
    g=lambda real, fake: softplus(-fake),
)
# Zhu et al. (2017), section 4, https://arxiv.org/abs/1703.10593.
LEAST_SQUARES = Criterion(
    d=lambda real, fake: (real - 1).square() + fake.square(),
    g=lambda real, fake: (fake - 1).square(),
    metrics={"accuracy": lambda real, fake: 0.5 * ((real > 0.5).float() + (fake < 0.5)).mean()},
)
CRITERIA = {"nonsaturating": NONSATURATING, "lsgan": LEAST_SQUARES}


def halve_discriminator(criterion: Criterion) -> Criterion:
    """Return a criterion with half of the discriminator's loss, which slows it down.

    Isola et al. (2016), section 3.3, https://arxiv.org/abs/1611.07004, and Zhu et al. (2017),
    appendix 7.1. The generator's loss is not halved: the weights of its other terms are relative
    to it.
    """
    return replace(criterion, d=lambda real, fake: 0.5 * criterion.d(real, fake))
