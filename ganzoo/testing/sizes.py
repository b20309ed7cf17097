"""Small sizes: of networks, by the names that such arguments have, and of images."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal, get_args, get_origin

from ganzoo.registry.signatures import arguments_of
from ganzoo.spec import DataSpec, ImageSpec

# Arguments of an architecture that are sizes of its networks, and a value at which these are tiny.
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

# Together, not alone: what makes an architecture's generator read codes.
CODES = {"categorical_code": 3, "continuous_codes": 2}

CLASSES = 4
SIDES = (
    (32, 3),
    (32, 1),
    (28, 1),
    (64, 3),
    (16, 1),
)  # images' side and channels, in order of trial


def data_of(side: int, channels: int) -> DataSpec:
    """Data with everything an architecture may ask for: classes, and images to make others from."""
    image = ImageSpec(side, side, channels)
    return DataSpec(image, classes=CLASSES, condition=image)


def tiny_arguments(factory: Callable[..., Any]) -> dict[str, Any]:
    """Return arguments that make an architecture's networks small, of those that it has."""
    return {name: TINY[name] for name in arguments_of(factory) if name in TINY}


def tiny_variants(factory: Callable[..., Any]) -> Iterator[dict[str, Any]]:
    """Yield arguments at tiny size: the defaults, codes, and each other value of each choice."""
    arguments, tiny = arguments_of(factory), tiny_arguments(factory)
    yield tiny
    if arguments.keys() >= CODES.keys():
        yield tiny | CODES
    for name, argument in arguments.items():
        if get_origin(argument.annotation) is Literal:
            for value in get_args(argument.annotation):
                if value != argument.default:
                    yield tiny | {name: value}
