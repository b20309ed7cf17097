"""Generate the images that the page's controls request, with limits on every argument."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganzoo.errors import SampleError
from ganzoo.sampling.generator import Generator
from ganzoo.sampling.images import ImageBatch
from ganzoo.sampling.translation import Encoder
from ganzoo.spec import MAX_TRUNCATION, ModelSpec

ALL_CLASSES = "all classes"  # choice in the class menu

IMAGES = 100  # when the page opens
MAX_IMAGES = 144
LEAST_IMAGES = 4  # of a request, however large the images are
PIXELS = 2**20  # of all images of a request, so that large images do not block other visitors
THRESHOLDS = 0.5, 3.0  # of z; the largest one means that z is not truncated
MAX_SEED = 2**53 - 1  # largest exact integer in a browser


def classes(spec: ModelSpec) -> tuple[str, ...]:
    """Return the names of a model's classes, empty for a model without classes."""
    if "y" not in spec.inputs:
        return ()
    return spec.data.class_names


def max_images(spec: ModelSpec) -> int:
    """Return the largest number of images of a request: fewer for large images, 4 at least."""
    pixels = spec.data.image.height * spec.data.image.width
    return min(MAX_IMAGES, max(LEAST_IMAGES, PIXELS // pixels))


def limit_settings(most: int, usual: int) -> dict[str, Any]:
    """Return the settings of a slider of a number of images when it gets another model.

    A visitor's number stays, unless fewer images are the limit.

    Args:
        most: the limit of the model.
        usual: the limit of models of small images.
    """
    return {"maximum": most} if most == usual else {"maximum": most, "value": most}


def describe_limits(specs: Mapping[str, ModelSpec]) -> str | None:
    """Return which models have fewer images than `MAX_IMAGES`; None if none has."""
    limits = {name: max_images(spec) for name, spec in specs.items()}
    fewer = [f"{name} {n}" for name, n in limits.items() if n < MAX_IMAGES]
    return f"at most, because of their size: {', '.join(fewer)}" if fewer else None


def samples(
    model: Generator,
    seed: Any,
    n: Any,
    label: str | None = None,
    psi: Any = None,
    threshold: Any = None,
) -> ImageBatch:
    """Generate images 0 to `n` - 1 of a seed, at most `max_images` of them.

    Args:
        model: the generator.
        seed: 0 to 2**53 - 1.
        n: 1 to 144.
        label: a class or `ALL_CLASSES`; ignored for a model without classes.
        psi: truncation of w, -2 to 2; ignored for a model without a mapping network.
        threshold: truncation of z, `THRESHOLDS`, for a model without a mapping network.

    Raises:
        SampleError: an argument is out of range, or the class does not exist.
    """
    count = min(as_integer(n, "number of images", 1, MAX_IMAGES), max_images(model.spec))
    single_class = None if label == ALL_CLASSES or not classes(model.spec) else label
    how = _sampler(model, psi, threshold)
    images = model.sample(count, check_seed(seed), label=single_class, **how)
    in_columns = classes(model.spec) and single_class is None and model.spec.data.classes <= count
    return ImageBatch(images.numpy(), _columns(model.spec, count) if in_columns else None)


def reconstruct(
    encoder: Encoder, generator: Generator, images: ImageBatch
) -> tuple[ImageBatch, NDArray[np.float32]]:
    """Encode images and decode the latents; return the images and latents (n, latent_dim).

    For a generator with classes, image k gets class k modulo the number of classes.

    Raises:
        SampleError: the images have the wrong size.
    """
    z = encoder.encode(images)
    return generator.decode(z, generator.labels(len(z))), z


def check_seed(seed: Any) -> int:
    """Return a seed as an integer.

    Raises:
        SampleError: the seed is not an integer from 0 to 2**53 - 1.
    """
    return as_integer(seed, "seed", 0, MAX_SEED)


def one_class(model: Generator, n: int, label: str | None) -> NDArray[np.int64] | None:
    """Return one class for `n` images, by default the first; None for a model without classes.

    Raises:
        SampleError: the class does not exist.
    """
    names = classes(model.spec)
    return model.labels(n, label=names[0] if label is None else label) if names else None


def latent_dim(model: Generator) -> int:
    """Return the length of a generator's latents."""
    assert model.spec.latent is not None  # every generator has latents
    return model.spec.latent.dim


def check_psi(psi: Any) -> float:
    """Return a truncation of w.

    Raises:
        SampleError: it is not a number from -2 to 2.
    """
    return as_number(psi, "truncation", -MAX_TRUNCATION, MAX_TRUNCATION)


def as_integer(value: Any, name: str, low: int, high: int) -> int:
    """Return a browser's value as an integer in a range.

    Raises:
        SampleError: the value is not an integer in the range.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or value % 1:
        raise SampleError(
            f"the {name} is {value!r}, not a whole number. Use a number from {low} to {high:,}."
        )
    if not low <= value <= high:
        raise SampleError(
            f"the {name} is {value:,}, out of range. Use a number from {low} to {high:,}."
        )
    return int(value)


def as_number(value: Any, name: str, low: float, high: float) -> float:
    """Return a browser's value as a number in a range.

    Raises:
        SampleError: the value is not a number in the range.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise SampleError(
            f"the {name} is {value!r}, out of range. Use a number from {low:g} to {high:g}."
        )
    return float(value)


def _columns(spec: ModelSpec, count: int) -> int:
    """Return the columns of a nearly square grid, each of one class."""
    return spec.data.classes * max(1, round(math.sqrt(count) / spec.data.classes))


def _sampler(model: Generator, psi: Any, threshold: Any) -> dict[str, Any]:
    """Return the sampler and its options; without a truncation, those of the model alone."""
    if model.spec.styles:
        if psi is None or check_psi(psi) == model.spec.styles.truncation:
            return {}
        return {"sampler": "truncated", "psi": check_psi(psi)}
    if threshold is None or as_number(threshold, "threshold", *THRESHOLDS) == THRESHOLDS[1]:
        return {}
    return {"sampler": "truncated-normal", "threshold": float(threshold)}
