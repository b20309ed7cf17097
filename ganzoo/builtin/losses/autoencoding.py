"""Autoencoder losses: one player trains encoder and generator to reconstruct images.

An encoder returns the mean and the log-variance of a normal distribution over latents, each
(n, latent_dim). A plain autoencoder uses the mean only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, mse_loss

from ganzoo.games import Batch, Loss, Player, Turn, check_weight
from ganzoo.nn import at_least_fp32, generate, generate_logits

Likelihood = Literal["bernoulli", "gaussian", "laplace"]
Reduction = Literal["mean", "sum"]


def reconstruction_error(reconstruction: Tensor, images: Tensor, likelihood: Likelihood) -> Tensor:
    """Return -log p(images | reconstruction) of each value, up to a constant.

    Args:
        reconstruction: in the shape of `images`: for ``bernoulli`` the logits of the probabilities
            (x + 1) / 2, which are exact where the probabilities round to 0 or 1; for the others
            values in [-1, 1].
        images: values in [-1, 1].
        likelihood: ``bernoulli``, ``gaussian``, or ``laplace`` with scale 1.
    """
    reconstruction = at_least_fp32(reconstruction)
    if likelihood == "laplace":
        return (reconstruction - images).abs()
    with torch.autocast(images.device.type, enabled=False):
        if likelihood == "gaussian":
            return 0.5 * mse_loss(reconstruction, images, reduction="none")
        targets = (0.5 * images + 0.5).clamp(0.0, 1.0)  # rounding errors may leave [0, 1] slightly
        return binary_cross_entropy_with_logits(reconstruction, targets, reduction="none")


def kl_from_standard_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return KL(N(mean, variance) || N(0, I)) of each sample: 1/2 sum(m2 + s2 - 1 - log s2).

    Near 0, the variance less 1 is exact, while 1 would swallow most of log s2.
    """
    return 0.5 * (mean.square() + (log_variance.expm1() - log_variance)).sum(1)


def draw(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return a sample z = mu + sigma * eps, differentiable in mean and variance."""
    return mean + (0.5 * log_variance).exp() * torch.randn_like(mean)


def encode(encoder: nn.Module, images: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean and the log-variance of the latents of images, at least fp32."""
    mean, log_variance = encoder(images)
    return at_least_fp32(mean), at_least_fp32(log_variance)


class Autoencoding(Loss):
    """A game with one player, which trains encoder and generator.

    Args:
        likelihood: the reconstruction error, see `reconstruction_error`.
        beta: weight of the KL divergence of the latents from N(0, I); None uses the mean as the
            latent, without noise and without this term.
        reduction: whether the reconstruction error of an image is the mean or the sum over its
            values.
    """

    players = (Player("autoencoder", trains=("encoder", "generator"), reads_real=True),)
    exported_roles = ("generator", "encoder")

    def __init__(
        self, likelihood: Likelihood, beta: float | None, reduction: Reduction = "sum"
    ) -> None:
        super().__init__()
        self.reduction = reduction
        if beta is not None:
            check_weight("beta", beta)
        self.likelihood = likelihood
        self.beta = beta

    def autoencoder(
        self, nets: Mapping[str, nn.Module], batch: Batch, turn: Turn
    ) -> dict[str, Tensor]:
        """Return the reconstruction error of the batch, and the weighted KL divergence."""
        mean, log_variance = encode(nets["encoder"], batch.images)
        z = mean if self.beta is None else draw(mean, log_variance)
        decode = generate_logits if self.likelihood == "bernoulli" else generate
        reconstruction = decode(nets["generator"], z=z, y=batch.labels)
        error = reconstruction_error(reconstruction, batch.images, self.likelihood).flatten(1)
        reconstruction_term = error.sum(1) if self.reduction == "sum" else error.mean(1)
        if self.beta is None:
            return {"reconstruction": reconstruction_term}
        kl = kl_from_standard_normal(mean, log_variance)
        return {"reconstruction": reconstruction_term, "kl": turn.weigh("kl", self.beta, kl)}


def autoencoder(*, likelihood: Likelihood = "bernoulli", reduction: Reduction = "mean") -> Loss:
    """Autoencoder: reconstruct images from a short latent.

        -log p(x | G(E(x)))

    "Reducing the Dimensionality of Data with Neural Networks" (Hinton and Salakhutdinov, 2006),
    https://doi.org/10.1126/science.1127647.

    Args:
        likelihood: ``bernoulli`` is binary cross-entropy per pixel, ``gaussian`` half of the
            squared error, ``laplace`` the absolute error (MAE), of values in [-1, 1].
        reduction: ``mean`` or ``sum`` over the values of an image. The loss `vae` always uses the
            sum.
    """
    return Autoencoding(likelihood, None, reduction)


def vae(*, beta: float = 1.0, likelihood: Likelihood = "bernoulli") -> Loss:
    """Variational autoencoder: reconstruction and KL, each summed over an image's values.

        -log p(x | G(z)) + beta KL(N(m, s^2) || N(0, 1)), z = m + s e, (m, s) = E(x), e ~ N(0, 1)

    "Auto-Encoding Variational Bayes" (Kingma and Welling, 2013), equation 10 and appendix B,
    https://arxiv.org/abs/1312.6114.

    Args:
        beta: weight of the KL divergence; 1 is the variational bound.
        likelihood: ``bernoulli`` is binary cross-entropy per pixel, ``gaussian`` squared error
            with unit variance, ``laplace`` the absolute error with scale 1.
    """
    return Autoencoding(likelihood, beta)


def betavae(*, beta: float = 4.0, likelihood: Likelihood = "bernoulli") -> Loss:
    """Variational autoencoder with a larger weight of the KL divergence, to disentangle latents.

        -log p(x | G(z)) + beta KL(N(m, s^2) || N(0, 1)), z = m + s e, (m, s) = E(x), e ~ N(0, 1)

    "beta-VAE: Learning Basic Visual Concepts with a Constrained Variational Framework" (Higgins et
    al., 2017), equation 4, https://openreview.net/forum?id=Sy2fzU9gl.

    Args:
        beta: weight of the KL divergence.
        likelihood: as in `vae`.
    """
    return Autoencoding(likelihood, beta)
