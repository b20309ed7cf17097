"""Encoders and joint discriminators on top of any trunk."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

DiscriminatorKind = Literal["none", "image", "joint"]


class GaussianEncoder(nn.Module):
    """An encoder: images -> mean and log-variance of their latents, (n, latent_dim) each.

    "Auto-Encoding Variational Bayes" (Kingma and Welling, 2013), appendix C.2,
    https://arxiv.org/abs/1312.6114. A plain autoencoder uses the mean only.

    Args:
        trunk: images -> features or a feature map.
        features: number of outputs of the trunk for an image.
        latent_dim: length of a latent.
    """

    def __init__(self, trunk: nn.Module, features: int, latent_dim: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.mean = nn.Linear(features, latent_dim)
        self.log_variance = nn.Linear(features, latent_dim)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance of images (n, channels, height, width)."""
        features = self.trunk(images).flatten(1)
        return self.mean(features), self.log_variance(features)


class JointDiscriminator(nn.Module):
    """A discriminator of image and latent together: logits (n,).

    "Adversarial Feature Learning" (Donahue et al., 2017), https://arxiv.org/abs/1605.09782.

    Args:
        trunk: images -> features or a feature map.
        features: number of outputs of the trunk for an image.
        latent_dim: length of a latent.
        width: units of the hidden layer, which reads the features and the latent.
    """

    def __init__(self, trunk: nn.Module, features: int, latent_dim: int, width: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.hidden = nn.Linear(features + latent_dim, width)
        self.last = nn.Linear(width, 1)

    def forward(self, images: Tensor, z: Tensor) -> Tensor:
        """Return logits, higher for an image and the latent that an encoder gives for it."""
        joint = torch.cat([self.trunk(images).flatten(1), z], 1)
        logits: Tensor = self.last(nn.functional.leaky_relu(self.hidden(joint), 0.2))
        return logits.squeeze(1)
