"""Generate the images that the page's controls request, with limits on every argument."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganzoo.errors import SampleError
from ganzoo.sampling import latents
from ganzoo.sampling.generator import Generator, PathKind
from ganzoo.sampling.images import ImageBatch
from ganzoo.sampling.translation import Encoder
from ganzoo.spec import ModelSpec

ALL_CLASSES = "all classes"  # choice in the class menu

IMAGES = 100  # when the page opens
MAX_IMAGES = 144
MAX_STEPS = 24
PIXELS = 2**20  # of all images of a request, so that large images do not block other visitors
MAX_SEED = 2**53 - 1  # largest exact integer in a browser


def classes(spec: ModelSpec) -> tuple[str, ...]:
    """Return the names of a model's classes, empty for a model without classes."""
    if "y" not in spec.inputs:
        return ()
    return spec.data.class_names


def max_images(spec: ModelSpec) -> int:
    """Return the largest number of images of a request: fewer for large images, 9 at least."""
    return min(MAX_IMAGES, max(9, PIXELS // (spec.data.image.height * spec.data.image.width)))


def samples(model: Generator, seed: Any, n: Any, label: str | None = None) -> ImageBatch:
    """Generate images 0 to `n` - 1 of a seed, at most `max_images` of them.

    Args:
        model: the generator.
        seed: 0 to 2**53 - 1.
        n: 1 to 144.
        label: a class or `ALL_CLASSES`; ignored for a model without classes.

    Raises:
        SampleError: an argument is out of range, or the class does not exist.
    """
    count = min(as_integer(n, "number of images", 1, MAX_IMAGES), max_images(model.spec))
    single_class = None if label == ALL_CLASSES or not classes(model.spec) else label
    images = model.sample(count, check_seed(seed), label=single_class)
    in_columns = classes(model.spec) and single_class is None and model.spec.data.classes <= count
    return ImageBatch(images.numpy(), model.spec.data.classes if in_columns else None)


def interpolate(
    model: Generator, a: Any, b: Any, steps: Any, path: PathKind, label: str | None = None
) -> ImageBatch:
    """Generate 2 to 24 images between two seeds.

    Raises:
        SampleError: an argument is out of range, or the class does not exist.
    """
    count = as_integer(steps, "number of steps", 2, MAX_STEPS)
    single_class = label if classes(model.spec) else None
    return model.interpolate(check_seed(a), check_seed(b), count, label=single_class, path=path)


def interpolate_at(
    model: Generator, a: Any, b: Any, position: Any, path: PathKind, label: str | None = None
) -> ImageBatch:
    """Generate the image at a position between two seeds, 0 for the first and 1 for the second.

    Raises:
        SampleError: as for `interpolate`.
    """
    start, end = (latents.normal(check_seed(seed), 1, latent_dim(model))[0] for seed in (a, b))
    if path not in latents.PATHS:
        raise SampleError(f"unknown path {path!r}. Choose one of {', '.join(latents.PATHS)}.")
    positions = np.array([as_number(position, "position", 0.0, 1.0)], np.float32)
    return model.decode(latents.PATHS[path](start, end, positions), one_class(model, 1, label))


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
