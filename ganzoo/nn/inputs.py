"""What a network reads, known by the names of its `forward`'s parameters.

``z``: latents, float32 (n, latent_dim). ``y``: classes' numbers, int64 (n,). ``condition``:
images to make others from, float32 (n, channels, height, width) in [-1, 1].
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from typing import Any

from torch import Tensor, nn

INPUTS = ("condition", "z", "y")


def inputs_of(generator: nn.Module) -> tuple[str, ...]:
    """Return what a generator reads, in its order; ``("z",)`` where its parameter is unnamed."""
    return _named(type(generator).forward) or ("z",)


def generate(
    generator: nn.Module,
    *,
    z: Tensor | None = None,
    y: Tensor | None = None,
    condition: Tensor | None = None,
) -> Tensor:
    """Call a generator with what it reads of the things given."""
    given = {"condition": condition, "z": z, "y": y}
    images: Tensor = generator(*(given[name] for name in inputs_of(generator)))
    return images


def call_discriminator(
    discriminator: nn.Module, images: Tensor, *, y: Tensor | None, condition: Tensor | None
) -> Any:
    """Call a discriminator with images and what it reads beside them."""
    given = {"condition": condition, "y": y}
    names = _named(type(discriminator).forward)
    return discriminator(images, **{name: given[name] for name in names if name in given})


@cache
def _named(forward: Callable[..., Any]) -> tuple[str, ...]:
    return tuple(name for name in inspect.signature(forward).parameters if name in INPUTS)
