"""Criteria of discriminators and generators, for each patch."""

from __future__ import annotations

from torch.nn.functional import softplus

from ganzoo.games import Criterion

# With D = sigmoid(logit): -log D = softplus(-logit), -log(1 - D) = softplus(logit).
NONSATURATING = Criterion(
    d=lambda real, fake: softplus(-real) + softplus(fake),
    g=lambda real, fake: softplus(-fake),
)
# Zhu et al. (2017), section 4, https://arxiv.org/abs/1703.10593. The objective of the discriminator
# is halved, that of the generator is not. The weights of other terms are relative to the latter.
LEAST_SQUARES = Criterion(
    d=lambda real, fake: 0.5 * ((real - 1).square() + fake.square()),
    g=lambda real, fake: (fake - 1).square(),
    metrics={"accuracy": lambda real, fake: 0.5 * ((real > 0.5).float() + (fake < 0.5)).mean()},
)
CRITERIA = {"nonsaturating": NONSATURATING, "lsgan": LEAST_SQUARES}
