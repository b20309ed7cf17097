"""Generate images between two seeds."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganzoo.demo.sampling import (
    as_integer,
    as_number,
    check_psi,
    check_seed,
    max_images,
    one_class,
)
from ganzoo.errors import SampleError
from ganzoo.sampling.generator import Generator
from ganzoo.sampling.images import ImageBatch
from ganzoo.sampling.latents import PATHS
from ganzoo.sampling.samplers import Codes
from ganzoo.spec import ModelSpec

MAX_STEPS = 24
LEAST_STEPS = 8  # of a request, however large the images are
IN_W = "linear in w"


def paths(spec: ModelSpec) -> list[str]:
    """Return the kinds of paths between two seeds of a model, the usual one first."""
    return [*([IN_W] if spec.styles else []), *PATHS]


def max_steps(spec: ModelSpec) -> int:
    """Return the largest number of steps of a model: fewer for large images, 8 at least."""
    return min(MAX_STEPS, max(LEAST_STEPS, max_images(spec)))


def interpolate(
    model: Generator,
    a: Any,
    b: Any,
    steps: Any,
    path: str,
    label: str | None = None,
    psi: Any = None,
) -> ImageBatch:
    """Generate 2 to 24 images between two seeds, at most `max_steps`.

    Args:
        model: the generator.
        a, b: the seeds.
        steps: the number of images.
        path: one of `paths`.
        label: a class, by default the first; ignored for a model without classes.
        psi: truncation of w, for a model with a mapping network; by default its own.

    Raises:
        SampleError: an argument is out of range, or the class does not exist.
    """
    count = min(as_integer(steps, "number of steps", 2, MAX_STEPS), max_steps(model.spec))
    positions = np.linspace(0, 1, count, dtype=np.float32)
    return ImageBatch(model.render(_codes(model, a, b, positions, path, label, psi)).numpy(), count)


def interpolate_at(
    model: Generator,
    a: Any,
    b: Any,
    position: Any,
    path: str,
    label: str | None = None,
    psi: Any = None,
) -> ImageBatch:
    """Generate the image at a position between two seeds, 0 for the first and 1 for the second.

    Raises:
        SampleError: as for `interpolate`.
    """
    positions = np.array([as_number(position, "position", 0.0, 1.0)], np.float32)
    return model.render(_codes(model, a, b, positions, path, label, psi))


def _codes(
    model: Generator,
    a: Any,
    b: Any,
    positions: NDArray[np.float32],
    path: str,
    label: str | None,
    psi: Any,
) -> Codes:
    if path not in paths(model.spec):
        known = ", ".join(paths(model.spec))
        raise SampleError(f"unknown path {path!r}. Choose one of {known}.")
    psi = None if psi is None else check_psi(psi)
    seeds = [check_seed(seed) for seed in (a, b)]
    z = model.draw_seeds(seeds).normal(model.latent_dim)
    if path == IN_W:
        first, second = model.styles_of(Codes(z, one_class(model, 2, label)), psi)
        share = positions[:, None, None]
        return Codes(styles=(1 - share) * first + share * second)
    z, y = PATHS[path](z[0], z[1], positions), one_class(model, len(positions), label)
    if model.spec.styles and psi is not None:
        return Codes(styles=model.styles_of(Codes(z, y), psi))
    return Codes(z, y)
