"""What the page's controls ask of a generator, each a picture; bounded, for anyone may ask."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganzoo.errors import SampleError
from ganzoo.sampling import latents
from ganzoo.sampling.generator import Encoder, Generator, PathKind
from ganzoo.sampling.images import ImageBatch
from ganzoo.spec import ModelSpec

EACH = "each in turn"  # instead of one class

IMAGES = 100  # that a page begins with
MAX_IMAGES = 144
MAX_STEPS = 24
PIXELS = 2**20  # of all images of a picture, so that large ones do not keep others waiting
MAX_SEED = 2**53 - 1  # beyond it, a browser's numbers are not whole


def classes(spec: ModelSpec) -> tuple[str, ...]:
    """Return the classes that a visitor may choose from, none where the model reads no label."""
    if "y" not in spec.inputs:
        return ()
    return spec.data.labels or tuple(str(k) for k in range(spec.data.classes))


def most(spec: ModelSpec) -> int:
    """Return how many images of a model make one picture: fewer of large ones, 9 at least."""
    return min(MAX_IMAGES, max(9, PIXELS // (spec.data.image.height * spec.data.image.width)))


def samples(model: Generator, seed: Any, n: Any, label: str | None = None) -> ImageBatch:
    """Make images 0 to `n` - 1 of a seed, or the first of them as `most` says.

    Args:
        model: what makes them.
        seed: 0 to 2**53 - 1.
        n: 1 to 144.
        label: a class, or `EACH`; None where there are none.

    Raises:
        SampleError: an argument out of its range, or no such class.
    """
    count = min(whole(n, "number of images", 1, MAX_IMAGES), most(model.spec))
    chosen = None if label == EACH or not classes(model.spec) else label
    images = model.sample(count, check_seed(seed), label=chosen)
    in_columns = classes(model.spec) and chosen is None and model.spec.data.classes <= count
    return ImageBatch(images.numpy(), model.spec.data.classes if in_columns else None)


def way(
    model: Generator, a: Any, b: Any, steps: Any, path: PathKind, label: str | None = None
) -> ImageBatch:
    """Make images on the way from one seed to another, 2 to 24 of them.

    Raises:
        SampleError: an argument out of its range, or no such class.
    """
    count = whole(steps, "number of steps", 2, MAX_STEPS)
    chosen = label if classes(model.spec) else None
    return model.interpolate(check_seed(a), check_seed(b), count, label=chosen, path=path)


def on_the_way(
    model: Generator, a: Any, b: Any, at: Any, path: PathKind, label: str | None = None
) -> ImageBatch:
    """Make the one image at a place on that way, 0 at its beginning and 1 at its end.

    Raises:
        SampleError: as for `way`.
    """
    start, end = (latents.normal(check_seed(seed), 1, latent_dim(model))[0] for seed in (a, b))
    if path not in latents.PATHS:
        raise SampleError(f"there is no path {path!r}: it is one of {', '.join(latents.PATHS)}.")
    place = np.array([between(at, "place", 0.0, 1.0)], np.float32)
    return model.decode(latents.PATHS[path](start, end, place), one_class(model, 1, label))


def remake(
    encoder: Encoder, generator: Generator, images: ImageBatch
) -> tuple[ImageBatch, NDArray[np.float32]]:
    """Encode images and generate them again, with the latents between, float32 (n, latent_dim).

    Where the generator has classes, image k is made as of class k modulo their number.

    Raises:
        SampleError: images of another size.
    """
    z = encoder.encode(images)
    return generator.decode(z, generator.labels(len(z))), z


def check_seed(seed: Any) -> int:
    """Return a seed as a number.

    Raises:
        SampleError: it is none from 0 to 2**53 - 1.
    """
    return whole(seed, "seed", 0, MAX_SEED)


def one_class(model: Generator, n: int, label: str | None) -> NDArray[np.int64] | None:
    """Return a visitor's choice for `n` images; without one, the first class.

    It is forgotten where the model that they changed to has nothing to choose.

    Raises:
        SampleError: no such class.
    """
    return model.labels(n, label=0 if label is None else label) if classes(model.spec) else None


def latent_dim(model: Generator) -> int:
    """Return the length of the latents that a model reads."""
    assert model.spec.latent is not None  # the spec of a generator says so
    return model.spec.latent.dim


def whole(value: Any, what: str, low: int, high: int) -> int:
    """Return what came from a browser as a whole number in a range.

    Raises:
        SampleError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or value % 1:
        raise SampleError(f"the {what} is {value!r}: type a whole number, {low} to {high:,}.")
    if not low <= value <= high:
        raise SampleError(f"the {what} is {value:,}: it is {low} to {high:,} on this page.")
    return int(value)


def between(value: Any, what: str, low: float, high: float) -> float:
    """Return what came from a browser as a number in a range.

    Raises:
        SampleError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise SampleError(f"the {what} is {value!r}: it is {low:g} to {high:g}.")
    return float(value)
