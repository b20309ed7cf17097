"""Small sizes of networks, by names of arguments, and of images."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal, get_args, get_origin

from ganzoo.registry.signatures import arguments_of
from ganzoo.spec import DataSpec, ImageSpec

# Common arguments for the size of networks, and values that make them tiny.
TINY = {
    "latent_dim": 12,
    "style_dim": 8,
    "mapping_layers": 2,
    "width": 4,
    "widest": 8,
    "group_size": 4,
    "hidden": 8,
    "depth": 1,
    "blocks": 1,
    "patch_layers": 2,
}

# Arguments that add codes to the latent; `tiny_variants` sets both together.
CODES = {"categorical_code": 3, "continuous_codes": 2}

CLASSES = 4
SIDES = (
    (32, 3),
    (32, 1),
    (28, 1),
    (64, 3),
    (16, 1),
)  # side and channels of images, in the order of attempts


def data_of(side: int, channels: int) -> DataSpec:
    """Return data with all that architectures may need: classes and conditions."""
    image = ImageSpec(side, side, channels)
    return DataSpec(image, classes=CLASSES, condition=image)


def tiny_arguments(factory: Callable[..., Any]) -> dict[str, Any]:
    """Return the arguments of an architecture that are in `TINY`, with their tiny values."""
    return {name: TINY[name] for name in arguments_of(factory) if name in TINY}


def tiny_variants(factory: Callable[..., Any]) -> Iterator[dict[str, Any]]:
    """Yield arguments of tiny networks: defaults, codes, and each other value of each choice."""
    arguments, tiny = arguments_of(factory), tiny_arguments(factory)
    yield tiny
    if arguments.keys() >= CODES.keys():
        yield tiny | CODES
    for name, argument in arguments.items():
        if get_origin(argument.annotation) is Literal:
            for value in get_args(argument.annotation):
                if value != argument.default:
                    yield tiny | {name: value}
