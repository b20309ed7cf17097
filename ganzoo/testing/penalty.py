"""A penalty that is checked, and the checks that are its own."""

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
from ganzoo.testing.checks import after
from ganzoo.testing.imports import imports_quietly

IMAGES, SIDE = 4, 8
SCALES = (0.1, 1.0, 10.0)  # of the discriminator's weights: a margin may not bind at one of them


class Discriminator(nn.Module):
    """Two smooth layers, whose first gives the features.

    Args:
        scale: size of its weights.
        patches: logits for each image; of one the logits are (n,).
    """

    def __init__(self, scale: float, patches: int = 1) -> None:
        super().__init__()
        rng = torch.Generator().manual_seed(0)
        self.hidden, self.last = nn.Linear(SIDE * SIDE, SIDE), nn.Linear(SIDE, patches)
        with torch.no_grad():
            for weight in self.parameters():
                weight.copy_(scale * torch.randn(weight.shape, generator=rng) / SIDE)

    def forward(self, images: Tensor) -> DiscriminatorOutput:
        """Judge images (n, 1, SIDE, SIDE)."""
        features = self.hidden(images.flatten(1)).tanh()
        return DiscriminatorOutput(self.last(features).squeeze(1), features)


def is_an_option(subject: Penalty) -> None:
    """It is an option of every adversarial loss."""
    owners = [entry for entry in penalties.entries() if entry.name == subject.name]
    if subject.name not in penalty_options(OPTIONS).values() or len(owners) > 1:
        raise ConformanceError(
            f"{subject.label} is no option of a loss, since its name is no name of an argument, or "
            "stands for another one: register it by a name of its own, in lower-case words."
        )


def builds(subject: Penalty) -> None:
    """It is built from a weight and a number of turns, and says what its term is called."""
    term = subject.build()
    if not isinstance(getattr(term, "name", None), str):
        raise ConformanceError(
            f"{subject.label} does not say what its term is called: set `name = ...` in the class."
        )
    if (term.weight, term.every) != (2.0, 3):
        raise ConformanceError(
            f"{subject.label} is built with weight 2 and every 3, and has weight {term.weight:g} "
            f"and every {term.every}: pass both on to Penalty.__init__."
        )


def returns_values(subject: Penalty) -> None:
    """It returns a finite number for each sample, float32 (n,)."""
    for scale, patches in itertools.product(SCALES, (1, 3)):
        value = subject.value(Discriminator(scale, patches))
        shown = type(value).__name__
        if isinstance(value, Tensor):
            shown = f"{str(value.dtype).removeprefix('torch.')} {tuple(value.shape)}"
        if shown != f"float32 ({IMAGES},)":
            logits = f"({IMAGES},)" if patches == 1 else f"({IMAGES}, {patches})"
            raise ConformanceError(
                f"{subject.label} returns {shown} for logits {logits}, and must return float32 "
                f"({IMAGES},), a value for each sample: reduce all dimensions but the first."
            )
        if not bool(value.isfinite().all()):
            raise ConformanceError(
                f"{subject.label} returns {value.tolist()}: keep square roots and logarithms off 0."
            )


def trains_the_discriminator(subject: Penalty) -> None:
    """It depends on the discriminator, which gets a finite gradient from it."""
    moved = False
    for scale in SCALES:
        discriminator = Discriminator(scale)
        with after("returns_values"):
            value = subject.value(discriminator).mean()
        if value.requires_grad:
            weights = list(discriminator.parameters())
            gradients = torch.autograd.grad(value, weights, allow_unused=True)
            known = [gradient for gradient in gradients if gradient is not None]
            if not all(bool(gradient.isfinite().all()) for gradient in known):
                raise ConformanceError(
                    f"{subject.label} gives the discriminator a gradient that is not finite: keep "
                    "square roots and logarithms off 0."
                )
            moved = moved or any(bool(gradient.any()) for gradient in known)
    if not moved:
        raise ConformanceError(
            f"{subject.label} gives the discriminator no gradient: compute it from what "
            "`comparison.discriminator` returns, and detach nothing of that; "
            "ganzoo.games.squared_gradient_norm is differentiable itself."
        )


class Penalty(CheckedPlugin):
    """A penalty."""

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
        """Build it, with a weight of 2 in every third turn.

        Raises:
            BrokenPluginError, RecipeError: it cannot be built.
        """
        with after("loads"):
            entry = self.entry
            self.registry.load(entry)
        term: Term = self.registry.make(entry, 2.0, 3)
        return term

    @cached_property
    def term(self) -> Term:
        """What `build` returned.

        Raises:
            NotChecked: it cannot be built.
        """
        with after("builds"):
            return self.build()

    def value(self, discriminator: Discriminator) -> Tensor:
        """Return its unweighted value on images of noise."""
        rng = torch.Generator().manual_seed(1)
        real, fake = torch.rand(2, IMAGES, 1, SIDE, SIDE, generator=rng) * 2 - 1
        comparison = Comparison(discriminator, real, fake, discriminator(real), discriminator(fake))
        return self.term.value(comparison)
