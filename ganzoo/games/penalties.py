"""Penalties: terms on one comparison that a discriminator made."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from ganzoo.games.batchwise import batch_mean
from ganzoo.nn import DiscriminatorOutput


class Comparison(NamedTuple):
    """One comparison. Whatever conditions it is inside the closure `discriminator`.

    Attributes:
        discriminator: the discriminator, images -> output.
        real, fake: images of one shape (n, channels, height, width).
        real_output, fake_output: what it said of them.
    """

    discriminator: Callable[[Tensor], DiscriminatorOutput]
    real: Tensor
    fake: Tensor
    real_output: DiscriminatorOutput
    fake_output: DiscriminatorOutput


class Penalty(ABC):
    """A weighted term of the discriminator's loss.

    Args:
        weight: factor of the term.
        every: compute it in turns that are multiples of this only, with `every` times the weight
            (the lazy form of Karras et al., 2020).

    Raises:
        ValueError: `every` below 1.
    """

    name: str

    def __init__(self, weight: float, every: int = 1) -> None:
        if every < 1:
            raise ValueError(f"penalty {self.name!r}: every is {every}, it must be at least 1")
        self.weight = weight
        self.every = every

    def term(self, comparison: Comparison, turn: int) -> dict[str, Tensor]:
        """Return the weighted term of a turn, or nothing in a turn that is left out."""
        if turn % self.every:
            return {}
        with torch.autocast(comparison.real.device.type, enabled=False):
            return {self.name: self.weight * self.every * self.value(comparison)}

    @abstractmethod
    def value(self, comparison: Comparison) -> Tensor:
        """Return the unweighted penalty of each sample, float32 (n,)."""


def squared_gradient_norm(
    discriminator: Callable[[Tensor], DiscriminatorOutput], images: Tensor
) -> Tensor:
    """Return ||d logit / d image||_2^2 of each sample, (n,), itself differentiable.

    The norm is taken over one sample's values: never over the batch, never per channel.
    """
    images = images.detach().requires_grad_()
    # A compiled network cannot be differentiated twice.
    with torch.compiler.set_stance("force_eager"):
        logits = discriminator(images).logits
    (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return gradient.flatten(1).square().sum(1)


class GradientPenalty(Penalty):
    """(||grad D(x)||_2 - 1)^2 at random points between real and fake images.

    "Improved Training of Wasserstein GANs" (Gulrajani et al., 2017), equation 3,
    https://arxiv.org/abs/1704.00028.
    """

    name = "gradient_penalty"

    def value(self, comparison: Comparison) -> Tensor:
        """Return the penalty of each sample, (n,)."""
        between = torch.lerp(
            comparison.fake.to(comparison.real), comparison.real, _uniform(comparison.real)
        )
        return _distance_from_1(comparison.discriminator, between)


class R1(Penalty):
    """||grad D(x)||_2^2 / 2 at real images; `weight` is the paper's gamma.

    "Which Training Methods for GANs do actually Converge?" (Mescheder et al., 2018), equation 9,
    https://arxiv.org/abs/1801.04406.
    """

    name = "r1"

    def value(self, comparison: Comparison) -> Tensor:
        """Return the penalty of each sample, (n,)."""
        return 0.5 * squared_gradient_norm(comparison.discriminator, comparison.real)


class R2(Penalty):
    """||grad D(x)||_2^2 / 2 at fake images; `weight` is the paper's gamma.

    "Which Training Methods for GANs do actually Converge?" (Mescheder et al., 2018), equation 10,
    https://arxiv.org/abs/1801.04406.
    """

    name = "r2"

    def value(self, comparison: Comparison) -> Tensor:
        """Return the penalty of each sample, (n,)."""
        return 0.5 * squared_gradient_norm(
            comparison.discriminator, comparison.fake.to(comparison.real)
        )


class Dragan(Penalty):
    """(||grad D(x)||_2 - 1)^2 around real images.

    "On Convergence and Stability of GANs" (Kodali et al., 2017), section 2.3 and its authors'
    noise, uniform on [0, half the standard deviation of the batch's pixels],
    https://arxiv.org/abs/1705.07215.
    """

    name = "dragan"

    def value(self, comparison: Comparison) -> Tensor:
        """Return the penalty of each sample, (n,)."""
        deviation = batch_mean((comparison.real - batch_mean(comparison.real)).square()).sqrt()
        noise = 0.5 * deviation * torch.rand_like(comparison.real)
        return _distance_from_1(
            comparison.discriminator, comparison.real + _uniform(comparison.real) * noise
        )


def _uniform(images: Tensor) -> Tensor:
    """One number in [0, 1] an image, that broadcasts over its values."""
    shape = (len(images), *[1] * (images.dim() - 1))
    return torch.rand(shape, device=images.device, dtype=images.dtype)


def _distance_from_1(
    discriminator: Callable[[Tensor], DiscriminatorOutput], images: Tensor
) -> Tensor:
    # The square root has no derivative at 0.
    norm = squared_gradient_norm(discriminator, images).add(1e-12).sqrt()
    return (norm - 1).square()
