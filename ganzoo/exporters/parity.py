"""Whether two runtimes compute the same."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ganzoo.errors import ExportError
from ganzoo.runtimes.signature import signature
from ganzoo.sampling import latents
from ganzoo.sampling.generator import Model
from ganzoo.spec import ModelSpec

BATCHES = (1, 7)
SEEDS = (0, 1)
LEVEL = 2 / 255  # one of the 255 steps of a pixel, in [-1, 1]
TOLERANCE = LEVEL / 8  # far below a step, so that a pixel moves to a neighbouring level at most


def check_parity(reference: Model, exported: Model, role: str) -> dict[str, Any]:
    """Run both on the same inputs and return the figures as JSON.

    Raises:
        ExportError: they differ by more than an eighth of a pixel's level, or in shape.
    """
    worst = compare(reference, exported, role).largest
    if worst > TOLERANCE:
        raise ExportError(
            f"the export of the {role} is refused: torch and onnxruntime differ by {worst:.2g} on "
            f"the same inputs, at most {TOLERANCE:.2g} is allowed. A network that draws random "
            "numbers or depends on its batch cannot be exported."
        )
    return {
        "runtimes": ["torch", "onnxruntime"],
        "batches": list(BATCHES),
        "seeds": list(SEEDS),
        "max_abs_error": worst,
        "tolerance": TOLERANCE,
    }


class Difference(NamedTuple):
    """How far apart two networks' outputs are: the largest difference, and the root mean square."""

    largest: float
    rms: float


def compare(a: Model, b: Model, role: str) -> Difference:
    """Run both on the same inputs and compare what they return, number by number.

    Raises:
        ExportError: they differ in shape, or a number is not finite.
    """
    differences = []
    for n in BATCHES:
        for seed in SEEDS:
            given = _inputs(a.spec, role, n, seed)
            x, y = a.run(given), b.run(given)
            if x.shape != y.shape or not (np.isfinite(x).all() and np.isfinite(y).all()):
                raise ExportError(
                    f"the export of the {role} is refused: of what should be the same, one is "
                    f"{x.shape}, the other {y.shape}, or a number is not finite."
                )
            differences.append(np.abs(x - y).ravel())
    every = np.concatenate(differences)
    return Difference(float(every.max()), math.sqrt(float(np.square(every).mean(dtype=float))))


def _inputs(spec: ModelSpec, role: str, n: int, seed: int) -> dict[str, NDArray[Any]]:
    """Latents, every class in turn, and images of noise that fill [-1, 1]."""
    made: dict[str, NDArray[Any]] = {}
    for name, shape in signature(spec, role)[0].items():
        if name == "y":
            made[name] = np.arange(seed, seed + n) % spec.data.classes
        else:
            noise = latents.normal(seed, n, math.prod(shape)).reshape(n, *shape)
            made[name] = noise if name == "z" else np.tanh(noise)
    return made
