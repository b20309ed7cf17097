"""The non-saturating criterion."""

from __future__ import annotations

from torch.nn.functional import softplus

from ganzoo.games import Criterion

# With D = sigmoid(logit): -log D = softplus(-logit), -log(1 - D) = softplus(logit). "Generative
# Adversarial Nets" (Goodfellow et al., 2014), section 3, https://arxiv.org/abs/1406.2661.
NONSATURATING = Criterion(
    d=lambda real, fake: softplus(-real) + softplus(fake),
    g=lambda real, fake: softplus(-fake),
)
