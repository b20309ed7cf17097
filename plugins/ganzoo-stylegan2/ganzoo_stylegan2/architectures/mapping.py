"""The mapping network, from latents to styles.

"A Style-Based Generator Architecture for Generative Adversarial Networks" (Karras et al., 2019),
section 2 and appendix B, https://arxiv.org/abs/1812.04948.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from ganzoo.games import batch_mean
from ganzoo_stylegan2.architectures.equalised import EqualisedLinear, activate

LEARNING_RATE = 0.01  # learning rate of these layers, relative to that of the others
MEMORY = 0.995  # decay of the moving average of w, per batch


def pixel_norm(x: Tensor) -> Tensor:
    """Divide each row of (n, dim) by its root mean square."""
    return normalize(x) * math.sqrt(x.shape[1])


def fully_connected(inputs: int, outputs: int, layers: int) -> nn.ModuleList:
    """Return the layers of a mapping network, which learn slowly."""
    sizes = [inputs] + [outputs] * (layers - 1)
    return nn.ModuleList(EqualisedLinear(n, outputs, rate=LEARNING_RATE) for n in sizes)


class Mapping(nn.Module):
    """z (n, latent_dim), and labels y (n,) if there are classes -> w (n, style_dim).

    The buffer `average` is a moving average of w in training; truncation moves w towards it.

    Args:
        latent_dim: length of z.
        style_dim: length of w.
        layers: number of layers.
        classes: number of classes of y, whose embeddings are concatenated to z; 0 for none.
        embedding_dim: length of an embedding.
    """

    average: Tensor

    def __init__(
        self,
        latent_dim: int,
        style_dim: int,
        layers: int,
        classes: int = 0,
        embedding_dim: int = 0,
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(classes, embedding_dim) if classes else None
        inputs = latent_dim + (embedding_dim if classes else 0)
        self.layers = fully_connected(inputs, style_dim, layers)
        self.register_buffer("average", torch.zeros(style_dim))

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """Return w, and in training mode update the average of w."""
        w = self.transform(z, y)
        if self.training:
            with torch.no_grad():
                middle = batch_mean(w, dim=0).to(self.average)
                self.average.lerp_(middle, 1 - MEMORY)
        return w

    def transform(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """Return w; the average stays as it is."""
        w = pixel_norm(z)
        if self.embedding is not None:
            w = torch.cat([w, pixel_norm(self.embedding(y))], 1)
        for layer in self.layers:
            w = activate(layer(w))
        return w


class LabelMapping(nn.Module):
    """Classes y, int64 (n,) -> vectors (n, dim), by which the discriminator tells them apart.

    "Training Generative Adversarial Networks with Limited Data" (Karras et al., 2020), appendix D,
    https://arxiv.org/abs/2006.06676.

    Args:
        classes: number of classes of y.
        dim: length of the vectors and of the embeddings.
        layers: number of layers.
    """

    def __init__(self, classes: int, dim: int, layers: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(classes, dim)
        self.layers = fully_connected(dim, dim, layers)

    def forward(self, y: Tensor) -> Tensor:
        """Return the vectors of the classes."""
        x = pixel_norm(self.embedding(y))
        for layer in self.layers:
            x = activate(layer(x))
        return x
