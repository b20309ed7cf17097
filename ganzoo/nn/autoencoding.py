"""What autoencoders share whatever their trunk."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

DiscriminatorKind = Literal["none", "image", "joint"]


class GaussianEncoder(nn.Module):
    """images -> mean and log-variance of their latents, (n, latent_dim) each.

    "Auto-Encoding Variational Bayes" (Kingma and Welling, 2013), appendix C.2,
    https://arxiv.org/abs/1312.6114. An autoencoder without noise uses the mean alone.

    Args:
        trunk: images -> features or a map.
        features: numbers that the trunk makes of an image.
        latent_dim: length of a latent.
    """

    def __init__(self, trunk: nn.Module, features: int, latent_dim: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.mean = nn.Linear(features, latent_dim)
        self.log_variance = nn.Linear(features, latent_dim)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance."""
        features = self.trunk(images).flatten(1)
        return self.mean(features), self.log_variance(features)


class JointDiscriminator(nn.Module):
    """Pairs of image and latent -> logits (n,).

    "Adversarial Feature Learning" (Donahue et al., 2017), https://arxiv.org/abs/1605.09782.

    Args:
        trunk: images -> features or a map.
        features: numbers that the trunk makes of an image.
        latent_dim: length of a latent.
        width: units of the hidden layer that sees both.
    """

    def __init__(self, trunk: nn.Module, features: int, latent_dim: int, width: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.hidden = nn.Linear(features + latent_dim, width)
        self.last = nn.Linear(width, 1)

    def forward(self, images: Tensor, z: Tensor) -> Tensor:
        """Return logits, higher where a pair looks like an image and its code."""
        both = torch.cat([self.trunk(images).flatten(1), z], 1)
        logits: Tensor = self.last(nn.functional.leaky_relu(self.hidden(both), 0.2))
        return logits.squeeze(1)
