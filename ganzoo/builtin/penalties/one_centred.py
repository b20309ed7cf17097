"""Penalties that keep the norm of the discriminator's gradient near 1."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ganzoo.games import Comparison, Penalty, batch_mean, squared_gradient_norm
from ganzoo.nn import DiscriminatorOutput


class GradientPenalty(Penalty):
    """The gradient penalty, between real and fake images (Gulrajani et al., 2017).

        weight (||grad D(x')||_2 - 1)^2, x' = x + u (G(z) - x), u ~ U(0, 1)

    "Improved Training of Wasserstein GANs" (Gulrajani et al., 2017), equation 3,
    https://arxiv.org/abs/1704.00028.
    """

    name = "gradient_penalty"
    uses_gradient = True

    def value(self, comparison: Comparison) -> Tensor:
        """Return the penalty of each sample, (n,)."""
        between = torch.lerp(
            comparison.fake.to(comparison.real), comparison.real, _uniform(comparison.real)
        )
        return _distance_from_1(comparison.discriminator, between)


class Dragan(Penalty):
    """The penalty of DRAGAN, around real images (Kodali et al., 2017).

        weight (||grad D(x')||_2 - 1)^2, x' = x + u n, u ~ U(0, 1)

    "On Convergence and Stability of GANs" (Kodali et al., 2017), section 2.3 and its authors' noise
    n, uniform on [0, half the standard deviation of the batch's pixels],
    https://arxiv.org/abs/1705.07215.
    """

    name = "dragan"
    uses_gradient = True

    def value(self, comparison: Comparison) -> Tensor:
        """Return the penalty of each sample, (n,)."""
        deviation = batch_mean((comparison.real - batch_mean(comparison.real)).square()).sqrt()
        noise = 0.5 * deviation * torch.rand_like(comparison.real)
        return _distance_from_1(
            comparison.discriminator, comparison.real + _uniform(comparison.real) * noise
        )


def _uniform(images: Tensor) -> Tensor:
    """Return a random number from [0, 1] for each image, which broadcasts over its values."""
    shape = (len(images), *[1] * (images.dim() - 1))
    return torch.rand(shape, device=images.device, dtype=images.dtype)


def _distance_from_1(
    discriminator: Callable[[Tensor], DiscriminatorOutput], images: Tensor
) -> Tensor:
    # Avoids 0, where the square root has no derivative.
    norm = squared_gradient_norm(discriminator, images).add(1e-12).sqrt()
    return (norm - 1).square()
