"""Penalties: terms of the discriminator's loss, computed from one comparison."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from ganzoo.games.game import Turn, check_count
from ganzoo.nn import DiscriminatorOutput


class Comparison(NamedTuple):
    """The discriminator's outputs for real and fake images of one batch.

    Attributes:
        discriminator: images -> output; labels and conditions are bound in this function.
        real, fake: images of one shape (n, channels, height, width).
        real_output, fake_output: the outputs for `real` and `fake`.
    """

    discriminator: Callable[[Tensor], DiscriminatorOutput]
    real: Tensor
    fake: Tensor
    real_output: DiscriminatorOutput
    fake_output: DiscriminatorOutput


class Penalty(ABC):
    """A weighted term of the discriminator's loss.

    A subclass sets `name` and defines the method `value`. Once registered in
    ``ganzoo.penalties``, it is an option of every adversarial loss. The first sentence of its
    docstring is the help of that option::

        @ganzoo.penalties.register("logit-drift")
        class LogitDrift(Penalty):
            "The squared logits of real images (Karras et al., 2018)."

            name = "logit_drift"

            def value(self, comparison):
                logits = comparison.real_output.logits
                return logits.square().reshape(len(logits), -1).mean(1)

    A penalty with state also derives from `nn.Module`, and calls its constructor first.

    Args:
        weight: factor of the term.
        every: turns between computations of the term, which is then `every` times as large (lazy
            regularisation, Karras et al., 2020).

    Raises:
        ValueError: `every` is below 1.

    Attributes:
        name: name of the term in the log.
        uses_gradient: whether it is computed from the gradient of the logits. Training then warns
            if BatchNorm makes the gradient of a sample depend on other samples.
    """

    name: str
    uses_gradient: bool = False

    def __init__(self, weight: float, every: int = 1) -> None:
        check_count(f"penalty {self.name!r}: every", every)
        self.weight = weight
        self.every = every

    def term(self, comparison: Comparison, number: int, turn: Turn) -> dict[str, Tensor]:
        """Return the weighted term in every `every`-th turn, and an empty dict in the others.

        Args:
            comparison: the outputs for one batch.
            number: number of the discriminator's turn.
            turn: the turn, which logs the unweighted term.
        """
        if number % self.every:
            return {}
        with torch.autocast(comparison.real.device.type, enabled=False):
            value = self.value(comparison)
            return {self.name: turn.weigh(self.name, self.weight * self.every, value)}

    @abstractmethod
    def value(self, comparison: Comparison) -> Tensor:
        """Return the unweighted penalty of each sample, float32 (n,)."""


def squared_gradient_norm(
    discriminator: Callable[[Tensor], DiscriminatorOutput], images: Tensor
) -> Tensor:
    """Return the differentiable ||d logit / d image||_2^2 of each sample, (n,).

    The norm runs over all values of one sample.
    """
    images = images.detach().requires_grad_()
    # A compiled network cannot be differentiated twice.
    with torch.compiler.set_stance("force_eager"):
        logits = discriminator(images).logits
    (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return gradient.flatten(1).square().sum(1)
