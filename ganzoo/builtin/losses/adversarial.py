"""Adversarial losses: each is a criterion on the two logits, penalties and turns."""

from __future__ import annotations

from torch.nn.functional import softplus

from ganzoo.games import R1, AdversarialLoss, Criterion, GradientPenalty, Loss

# With D = sigmoid(logit): -log D = softplus(-logit), -log(1 - D) = softplus(logit).
MINIMAX = Criterion(
    d=lambda real, fake: softplus(-real) + softplus(fake),
    g=lambda real, fake: -softplus(fake),
)
NONSATURATING = Criterion(d=MINIMAX.d, g=lambda real, fake: softplus(-fake))
LEAST_SQUARES = Criterion(
    d=lambda real, fake: 0.5 * ((real - 1).square() + fake.square()),
    g=lambda real, fake: 0.5 * (fake - 1).square(),
)
WASSERSTEIN = Criterion(d=lambda real, fake: fake - real, g=lambda real, fake: -fake)


def minimax() -> Loss:
    """The saturating game: G minimises log(1 - D(G(z))).

    "Generative Adversarial Nets" (Goodfellow et al., 2014), equation 1,
    https://arxiv.org/abs/1406.2661.
    """
    return AdversarialLoss(MINIMAX)


def nonsaturating(*, r1: float = 0.0, r1_every: int = 1) -> Loss:
    """G maximises log D(G(z)) instead.

    "Generative Adversarial Nets" (Goodfellow et al., 2014), section 3,
    https://arxiv.org/abs/1406.2661.

    Args:
        r1: gamma, the weight of the penalty R1 (Mescheder et al., 2018); 0 is none.
        r1_every: compute the penalty on every so many ticks only, so many times as strong.
    """
    return AdversarialLoss(NONSATURATING, penalties=[R1(r1, r1_every)] if r1 else [])


def lsgan() -> Loss:
    """Least squares with targets a = 0, b = c = 1.

    "Least Squares Generative Adversarial Networks" (Mao et al., 2017), equation 9,
    https://arxiv.org/abs/1611.04076.
    """
    return AdversarialLoss(LEAST_SQUARES)


def wgan_gp(*, weight: float = 10.0, critic_steps: int = 5) -> Loss:
    """Wasserstein distance under a gradient penalty.

    "Improved Training of Wasserstein GANs" (Gulrajani et al., 2017), algorithm 1,
    https://arxiv.org/abs/1704.00028.

    Args:
        weight: lambda, the penalty's weight.
        critic_steps: updates of the critic for one of the generator.
    """
    return AdversarialLoss(
        WASSERSTEIN, penalties=[GradientPenalty(weight)], critic_steps=critic_steps
    )
