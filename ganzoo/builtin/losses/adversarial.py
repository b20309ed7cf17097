"""Adversarial losses: one criterion each, with the options of `AdversarialOptions`."""

from __future__ import annotations

from torch.nn.functional import relu, softplus

from ganzoo.games import (
    AdversarialLoss,
    AdversarialOptions,
    Criterion,
    Loss,
    batch_mean,
    with_adversarial_options,
)

# With D = sigmoid(logit): -log D = softplus(-logit), -log(1 - D) = softplus(logit).
MINIMAX = Criterion(
    d=lambda real, fake: softplus(-real) + softplus(fake),
    g=lambda real, fake: -softplus(fake),
)
NONSATURATING = Criterion(d=MINIMAX.d, g=lambda real, fake: softplus(-fake))
LEAST_SQUARES = Criterion(
    d=lambda real, fake: 0.5 * ((real - 1).square() + fake.square()),
    g=lambda real, fake: 0.5 * (fake - 1).square(),
    boundary=0.5,
    metrics={"accuracy": lambda real, fake: 0.5 * ((real > 0.5).float() + (fake < 0.5)).mean()},
)
WASSERSTEIN = Criterion(
    d=lambda real, fake: fake - real,
    g=lambda real, fake: -fake,
    has_labels=False,
    metrics={"wasserstein": lambda real, fake: (real - fake).mean()},
)
HINGE = Criterion(
    d=lambda real, fake: relu(1 - real) + relu(1 + fake),
    g=lambda real, fake: -fake,
)
RELATIVISTIC_AVERAGE = Criterion(
    d=lambda real, fake: softplus(batch_mean(fake) - real) + softplus(fake - batch_mean(real)),
    g=lambda real, fake: softplus(batch_mean(real) - fake) + softplus(real - batch_mean(fake)),
    g_needs_real=True,
    has_labels=False,
    metrics={"accuracy": lambda real, fake: (real > fake).float().mean()},
)
RELATIVISTIC_PAIRING = Criterion(
    d=lambda real, fake: softplus(fake - real),
    g=lambda real, fake: softplus(real - fake),
    g_needs_real=True,
    has_labels=False,
    metrics=RELATIVISTIC_AVERAGE.metrics,
)


@with_adversarial_options()
def minimax(options: AdversarialOptions) -> Loss:
    """The original minimax game: the generator minimises log(1 - D(G(z))).

        discriminator: -log D(x) - log(1 - D(G(z)))
        generator:     log(1 - D(G(z)))

    "Generative Adversarial Nets" (Goodfellow et al., 2014), equation 1,
    https://arxiv.org/abs/1406.2661.
    """
    return AdversarialLoss(MINIMAX, options)


@with_adversarial_options()
def nonsaturating(options: AdversarialOptions) -> Loss:
    """The non-saturating game: the generator maximises log D(G(z)).

        discriminator: -log D(x) - log(1 - D(G(z)))
        generator:     -log D(G(z))

    "Generative Adversarial Nets" (Goodfellow et al., 2014), section 3,
    https://arxiv.org/abs/1406.2661.
    """
    return AdversarialLoss(NONSATURATING, options)


@with_adversarial_options()
def lsgan(options: AdversarialOptions) -> Loss:
    """Least squares with the targets a = 0, b = c = 1.

        discriminator: ((D(x) - 1)^2 + D(G(z))^2) / 2
        generator:     (D(G(z)) - 1)^2 / 2

    "Least Squares Generative Adversarial Networks" (Mao et al., 2017), equation 9,
    https://arxiv.org/abs/1611.04076.
    """
    return AdversarialLoss(LEAST_SQUARES, options)


@with_adversarial_options(weight_clip=0.01, discriminator_steps=5)
def wgan(options: AdversarialOptions) -> Loss:
    """Wasserstein distance, with weight clipping to keep the critic Lipschitz.

        discriminator: D(G(z)) - D(x), with every |weight| <= weight_clip
        generator:     -D(G(z))

    "Wasserstein GAN" (Arjovsky et al., 2017), algorithm 1, https://arxiv.org/abs/1701.07875.
    The estimate of the distance is logged as ``wasserstein``.
    """
    return AdversarialLoss(WASSERSTEIN, options)


@with_adversarial_options(gp=10.0, discriminator_steps=5)
def wgan_gp(options: AdversarialOptions) -> Loss:
    """Wasserstein distance, with a gradient penalty to keep the critic Lipschitz.

        discriminator: D(G(z)) - D(x) + gp (||grad D(x')||_2 - 1)^2
        generator:     -D(G(z))

    "Improved Training of Wasserstein GANs" (Gulrajani et al., 2017), algorithm 1,
    https://arxiv.org/abs/1704.00028. The estimate of the distance is logged as ``wasserstein``.
    """
    return AdversarialLoss(WASSERSTEIN, options)


@with_adversarial_options()
def hinge(options: AdversarialOptions) -> Loss:
    """Hinge loss: the discriminator has a margin of 1 on either side.

        discriminator: max(0, 1 - D(x)) + max(0, 1 + D(G(z)))
        generator:     -D(G(z))

    "Geometric GAN" (Lim and Ye, 2017), section 3.1, https://arxiv.org/abs/1705.02894.
    """
    return AdversarialLoss(HINGE, options)


@with_adversarial_options()
def ragan(options: AdversarialOptions) -> Loss:
    """Relativistic average GAN: real images should look more real than the average fake image.

        discriminator: -log s(D(x) - E D(G(z))) - log(1 - s(D(G(z)) - E D(x)))
        generator:     -log s(D(G(z)) - E D(x)) - log(1 - s(D(x) - E D(G(z))))
        with the sigmoid s and the mean of the batch E

    "The relativistic discriminator" (Jolicoeur-Martineau, 2018), section 4.2,
    https://arxiv.org/abs/1807.00734.
    """
    return AdversarialLoss(RELATIVISTIC_AVERAGE, options)


@with_adversarial_options()
def rpgan(options: AdversarialOptions) -> Loss:
    """Relativistic pairing GAN: each real image should look more real than one fake image.

        discriminator: -log s(D(x) - D(G(z)))
        generator:     -log s(D(G(z)) - D(x))
        with the sigmoid s

    "The relativistic discriminator" (Jolicoeur-Martineau, 2018), section 4.1,
    https://arxiv.org/abs/1807.00734; with r1 and r2 it is R3GAN's loss ("The GAN is dead; long live
    the GAN!", Huang et al., 2024, https://arxiv.org/abs/2501.05441).
    """
    return AdversarialLoss(RELATIVISTIC_PAIRING, options)
