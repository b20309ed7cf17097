"""Inputs of networks, identified by the parameter names of `forward`.

``z``: latents, float32 (n, latent_dim). ``y``: class numbers, int64 (n,). ``condition``: condition
images, float32 (n, channels, height, width) in [-1, 1].
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from typing import Any

from torch import Tensor, nn

INPUTS = ("condition", "z", "y")


def inputs_of(generator: nn.Module) -> tuple[str, ...]:
    """Return a generator's inputs in its order, or ``("z",)`` if no parameter name is known."""
    return _input_names(type(generator).forward) or ("z",)


def generate(
    generator: nn.Module,
    *,
    z: Tensor | None = None,
    y: Tensor | None = None,
    condition: Tensor | None = None,
) -> Tensor:
    """Call a generator with those arguments that are among its inputs, and return its images."""
    arguments = {"condition": condition, "z": z, "y": y}
    images: Tensor = generator(*(arguments[name] for name in inputs_of(generator)))
    return images


def call_discriminator(
    discriminator: nn.Module, images: Tensor, *, y: Tensor | None, condition: Tensor | None
) -> Any:
    """Call a discriminator with images and its other inputs, and return its output."""
    arguments = {"condition": condition, "y": y}
    names = _input_names(type(discriminator).forward)
    return discriminator(images, **{name: arguments[name] for name in names if name in arguments})


@cache
def _input_names(forward: Callable[..., Any]) -> tuple[str, ...]:
    return tuple(name for name in inspect.signature(forward).parameters if name in INPUTS)
