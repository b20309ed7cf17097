"""Inputs of networks, identified by the parameter names of `forward`.

``z``: latents, float32 (n, latent_dim). ``y``: class numbers, int64 (n,). ``condition``: condition
images, float32 (n, channels, height, width) in [-1, 1].
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from ganzoo.nn.precision import at_least_fp32
from ganzoo.spec import LatentSpec, SizesSpec

INPUTS = ("condition", "z", "y")


def inputs_of(generator: nn.Module) -> tuple[str, ...]:
    """Return a generator's inputs in its order, or ``("z",)`` if no parameter name is known."""
    return _input_names(type(generator).forward) or ("z",)


def latent_of(generator: nn.Module, arguments: Mapping[str, Any]) -> LatentSpec | None:
    """Return the latents that a generator reads; None if it reads none.

    Args:
        generator: the generator; without an argument, its attribute `latent_dim` states the length.
        arguments: arguments of its architecture; ``latent_dim`` is the length.

    Raises:
        KeyError: the generator reads latents, but neither states their length.
    """
    if "z" not in inputs_of(generator):
        return None
    if "latent_dim" in arguments:
        return LatentSpec(arguments["latent_dim"])
    if isinstance(dim := getattr(generator, "latent_dim", None), int):
        return LatentSpec(dim)
    raise KeyError("latent_dim")


def sizes_of(generator: nn.Module) -> SizesSpec | None:
    """Return the sizes of images that a translator reads; None if only those of its data.

    Args:
        generator: the translator; its attribute `sizes` is a `ganzoo.SizesSpec`.
    """
    sizes = getattr(generator, "sizes", None)
    return sizes if isinstance(sizes, SizesSpec) else None


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


def generate_logits(
    generator: nn.Module,
    *,
    z: Tensor | None = None,
    y: Tensor | None = None,
    condition: Tensor | None = None,
) -> Tensor:
    """Return the logits l of a generator's images x = tanh(l / 2), at least float32.

    They are the logits of the probabilities (x + 1) / 2. A generator whose last layer is a tanh
    should accept ``logits=True`` in `forward` and return them. Of other generators they are
    computed from the images, exactly up to where a tanh rounds to 1: beyond \\|l\\| = 17.3 in
    float32, l is 17.3 without a gradient.
    """
    if "logits" in inspect.signature(type(generator).forward).parameters:
        arguments = {"condition": condition, "z": z, "y": y}
        values = (arguments[name] for name in inputs_of(generator))
        return at_least_fp32(generator(*values, logits=True))
    images = at_least_fp32(generate(generator, z=z, y=y, condition=condition))
    limit = 1 - torch.finfo(images.dtype).eps / 2
    # The sum keeps NaN and infinity, which the clamp would hide.
    return 2 * torch.atanh(images.clamp(-limit, limit)) + 0 * images


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
