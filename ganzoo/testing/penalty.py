"""Penalties under test, and their checks."""

from __future__ import annotations

import itertools
from functools import cached_property

import torch
from torch import Tensor, nn

from ganzoo.errors import ConformanceError
from ganzoo.games import Comparison
from ganzoo.games import Penalty as Term
from ganzoo.games.factory import OPTIONS
from ganzoo.games.registered_penalties import penalty_options
from ganzoo.nn import DiscriminatorOutput
from ganzoo.registry import penalties
from ganzoo.testing import registration
from ganzoo.testing.checked_plugin import CheckedPlugin
from ganzoo.testing.checks import prerequisite
from ganzoo.testing.imports import imports_quietly

IMAGES, SIDE = 4, 8
SCALES = (0.1, 1.0, 10.0)  # of the weights; a penalty with a margin may be 0 at one of them


class Discriminator(nn.Module):
    """Two smooth layers; the first one computes the features.

    Args:
        scale: size of its weights.
        patches: number of logits per image; for 1 the logits are (n,).
    """

    def __init__(self, scale: float, patches: int = 1) -> None:
        super().__init__()
        rng = torch.Generator().manual_seed(0)
        self.hidden, self.last = nn.Linear(SIDE * SIDE, SIDE), nn.Linear(SIDE, patches)
        with torch.no_grad():
            for weight in self.parameters():
                weight.copy_(scale * torch.randn(weight.shape, generator=rng) / SIDE)

    def forward(self, images: Tensor) -> DiscriminatorOutput:
        """Return the output for images (n, 1, SIDE, SIDE)."""
        features = self.hidden(images.flatten(1)).tanh()
        return DiscriminatorOutput(self.last(features).squeeze(1), features)


def is_an_option(subject: Penalty) -> None:
    """It is an option of every adversarial loss."""
    owners = [entry for entry in penalties.entries() if entry.name == subject.name]
    if subject.name not in penalty_options(OPTIONS).values() or len(owners) > 1:
        raise ConformanceError(
            f"{subject.label} is not an option of losses, because its name is not an identifier, "
            "or belongs to another option: register it under another name of lower-case words."
        )


def builds(subject: Penalty) -> None:
    """It is built from a weight and a number of turns, and names its term."""
    term = subject.build()
    if not isinstance(getattr(term, "name", None), str):
        raise ConformanceError(
            f"{subject.label} has no name for its term: set `name = ...` in the class."
        )
    if (term.weight, term.every) != (2.0, 3):
        raise ConformanceError(
            f"{subject.label} is built with weight 2 and every 3, but has weight {term.weight:g} "
            f"and every {term.every}: pass both to Penalty.__init__."
        )


def returns_values(subject: Penalty) -> None:
    """It returns one finite number per sample, float32 (n,)."""
    for scale, patches in itertools.product(SCALES, (1, 3)):
        value = subject.value(Discriminator(scale, patches))
        actual = type(value).__name__
        if isinstance(value, Tensor):
            actual = f"{str(value.dtype).removeprefix('torch.')} {tuple(value.shape)}"
        if actual != f"float32 ({IMAGES},)":
            logits = f"({IMAGES},)" if patches == 1 else f"({IMAGES}, {patches})"
            raise ConformanceError(
                f"{subject.label} returns {actual} for logits {logits}, but must return float32 "
                f"({IMAGES},), one value per sample: reduce all dimensions except the first."
            )
        if not bool(value.isfinite().all()):
            raise ConformanceError(
                f"{subject.label} returns {value.tolist()}: add a small number under square roots "
                "and logarithms."
            )


def trains_the_discriminator(subject: Penalty) -> None:
    """It depends on the discriminator, which gets a finite gradient from it."""
    has_gradient = False
    for scale in SCALES:
        discriminator = Discriminator(scale)
        with prerequisite("returns_values"):
            value = subject.value(discriminator).mean()
        if value.requires_grad:
            weights = list(discriminator.parameters())
            gradients = torch.autograd.grad(value, weights, allow_unused=True)
            gradients = tuple(gradient for gradient in gradients if gradient is not None)
            if not all(bool(gradient.isfinite().all()) for gradient in gradients):
                raise ConformanceError(
                    f"{subject.label} gives the discriminator a gradient that is not finite: add a "
                    "small number under square roots and logarithms."
                )
            has_gradient = has_gradient or any(bool(gradient.any()) for gradient in gradients)
    if not has_gradient:
        raise ConformanceError(
            f"{subject.label} gives the discriminator no gradient: compute it from what "
            "`comparison.discriminator` returns, without detach(); "
            "ganzoo.games.squared_gradient_norm is differentiable."
        )


class Penalty(CheckedPlugin):
    """A penalty under test."""

    registry = penalties
    checks = (
        registration.loads,
        registration.names_its_source,
        imports_quietly,
        is_an_option,
        builds,
        returns_values,
        trains_the_discriminator,
    )

    def build(self) -> Term:
        """Return the penalty with weight 2, in every third turn.

        Raises:
            BrokenPluginError, RecipeError: it cannot be built.
        """
        with prerequisite("loads"):
            entry = self.entry
            self.registry.load(entry)
        term: Term = self.registry.make(entry, 2.0, 3)
        return term

    @cached_property
    def term(self) -> Term:
        """The result of `build`.

        Raises:
            NotChecked: it cannot be built.
        """
        with prerequisite("builds"):
            return self.build()

    def value(self, discriminator: Discriminator) -> Tensor:
        """Return its unweighted value for images of noise."""
        rng = torch.Generator().manual_seed(1)
        real, fake = torch.rand(2, IMAGES, 1, SIDE, SIDE, generator=rng) * 2 - 1
        comparison = Comparison(discriminator, real, fake, discriminator(real), discriminator(fake))
        return self.term.value(comparison)
