"""Encoder and generator as one player: reconstruct, and shape the latents.

An encoder returns mean and log-variance of a normal distribution over latents, (n, latent_dim)
each; an autoencoder uses the mean alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy, mse_loss

from ganzoo.games import Batch, Loss, Player, Turn, check_weight
from ganzoo.nn import at_least_fp32, generate

Likelihood = Literal["bernoulli", "gaussian"]


def reconstruction_error(made: Tensor, images: Tensor, likelihood: Likelihood) -> Tensor:
    """Return -log p(images | made) of each value, up to a constant, in the shape of `images`.

    Both are in [-1, 1]; ``bernoulli`` takes (x + 1) / 2 for probabilities.
    """
    made = at_least_fp32(made)
    with torch.autocast(images.device.type, enabled=False):
        if likelihood == "gaussian":
            return 0.5 * mse_loss(made, images, reduction="none")
        # Rounding may carry (x + 1) / 2 out of [0, 1] by a bit.
        p, x = ((0.5 * value + 0.5).clamp(0.0, 1.0) for value in (made, images))
        return binary_cross_entropy(p, x, reduction="none")


def kl_from_standard_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return KL(N(mean, variance) || N(0, I)) of each sample: -1/2 sum(1 + log s2 - m2 - s2)."""
    return -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum(1)


def draw(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return z = mu + sigma * eps, so that the gradient reaches both."""
    return mean + (0.5 * log_variance).exp() * torch.randn_like(mean)


def encode(encoder: nn.Module, images: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and log-variance, at least fp32."""
    mean, log_variance = encoder(images)
    return at_least_fp32(mean), at_least_fp32(log_variance)


class Autoencoding(Loss):
    """One player over encoder and generator.

    Args:
        likelihood: how a reconstruction is measured.
        beta: weight of the divergence of latents from N(0, I); None encodes without noise.
    """

    players = (Player("autoencoder", trains=("encoder", "generator")),)
    exported_roles = ("generator", "encoder")

    def __init__(self, likelihood: Likelihood, beta: float | None) -> None:
        super().__init__()
        if beta is not None:
            check_weight("beta", beta)
        self.likelihood = likelihood
        self.beta = beta

    def autoencoder(
        self, nets: Mapping[str, nn.Module], batch: Batch, turn: Turn
    ) -> dict[str, Tensor]:
        """Reconstruct the batch."""
        mean, log_variance = encode(nets["encoder"], batch.images)
        z = mean if self.beta is None else draw(mean, log_variance)
        made = generate(nets["generator"], z=z, y=batch.labels)
        error = reconstruction_error(made, batch.images, self.likelihood).flatten(1)
        if self.beta is None:
            return {"reconstruction": error.mean(1)}
        kl = kl_from_standard_normal(mean, log_variance)
        return {"reconstruction": error.sum(1), "kl": self.beta * kl}


def autoencoder(*, likelihood: Likelihood = "bernoulli") -> Loss:
    """Reconstruct images through a bottleneck; the loss is the mean over pixels.

    "Reducing the Dimensionality of Data with Neural Networks" (Hinton and Salakhutdinov, 2006),
    https://doi.org/10.1126/science.1127647.

    Args:
        likelihood: ``bernoulli`` is binary cross-entropy per pixel, ``gaussian`` squared error.
    """
    return Autoencoding(likelihood, None)


def vae(*, beta: float = 1.0, likelihood: Likelihood = "bernoulli") -> Loss:
    """Variational autoencoder: reconstruction and KL, each summed over an image's values.

    "Auto-Encoding Variational Bayes" (Kingma and Welling, 2013), equation 10 and appendix B,
    https://arxiv.org/abs/1312.6114.

    Args:
        beta: weight of the KL divergence; 1 is the variational bound.
        likelihood: ``bernoulli`` is binary cross-entropy per pixel, ``gaussian`` squared error
            with unit variance.
    """
    return Autoencoding(likelihood, beta)


def betavae(*, beta: float = 4.0, likelihood: Likelihood = "bernoulli") -> Loss:
    """A variational autoencoder that pays more for its latents, so that they disentangle.

    "beta-VAE: Learning Basic Visual Concepts with a Constrained Variational Framework" (Higgins et
    al., 2017), equation 4, https://openreview.net/forum?id=Sy2fzU9gl.

    Args:
        beta: weight of the KL divergence.
        likelihood: as in `vae`.
    """
    return Autoencoding(likelihood, beta)
