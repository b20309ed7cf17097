"""Compare the outputs of two runtimes."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ganzoo.errors import ExportError
from ganzoo.runtimes.signature import has_any_size, signature
from ganzoo.runtimes.torch import TorchModel
from ganzoo.sampling import latents
from ganzoo.sampling.model import Model
from ganzoo.sampling.sizes import is_large
from ganzoo.spec import ModelSpec

BATCHES = (1, 7)
LARGE_BATCHES = (1, 2)  # of images of more than 128x128 pixels
SEEDS = (0, 1)
LEVEL = 2 / 255  # one of a pixel's 255 steps, in [-1, 1]
TOLERANCE = LEVEL / 8
# Some weights enlarge the rounding errors of float32. Two programs that round differently may then
# differ by more, within a limit: a pixel differs by one level at most.
ROUNDINGS = 4  # times the rounding error of torch
LARGEST = LEVEL / 2

Size = tuple[int, int]  # height and width


def check_parity(reference: TorchModel, exported: Model, role: str) -> dict[str, Any]:
    """Run both networks on the same inputs and return the differences as JSON.

    Raises:
        ExportError: the outputs differ in shape, or by more than an eighth of a pixel's level. If
            the rounding errors of torch are that large, the limit is four times these errors, and
            at most half a level.
    """
    max_error = compare(reference, exported, role).largest
    tolerance, rounding = TOLERANCE, 0.0
    if max_error > TOLERANCE:
        rounding = max(rounding_of(reference, inputs) for inputs in _all_inputs(reference, role))
        tolerance = max(TOLERANCE, min(LARGEST, ROUNDINGS * rounding))
    if max_error > tolerance:
        raise ExportError(
            f"cannot export the {role}: torch and onnxruntime differ by {max_error:.2g} on the "
            f"same inputs, and the limit is {tolerance:.2g}; torch's own rounding error is "
            f"{rounding:.2g}. Remove random numbers and dependence on the batch from the network, "
            "or weights that enlarge rounding errors.",
            f"the images of torch and onnxruntime differ by {max_error:.2g} of 2",
        )
    sizes = _other_sizes(reference.spec, role)
    return {
        "runtimes": ["torch", "onnxruntime"],
        "batches": list(_batches(reference.spec)),
        "seeds": list(SEEDS),
        **({"other_sizes": [list(size) for size in sizes]} if sizes else {}),
        "max_abs_error": max_error,
        "tolerance": tolerance,
    }


def check_deterministic(model: TorchModel, role: str) -> None:
    """Check that a network returns finite numbers, and the same for the same inputs.

    Raises:
        ExportError: it does not.
    """
    if compare(model, model, role).largest:
        raise ExportError(
            f"cannot export the {role}: on the same inputs, torch returns different images each "
            "time. Remove random numbers from the network."
        )


def rounding_of(model: TorchModel, inputs: Mapping[str, NDArray[Any]]) -> float:
    """Return by how much a network's outputs differ from those that it computes in float64.

    The result is 0 for a network with random numbers, or with a layer that needs float32.
    """
    outputs = model.run(inputs)
    try:
        exact = copy.deepcopy(model).double().run(inputs)
    except (RuntimeError, TypeError):
        return 0.0
    if not np.array_equal(outputs, model.run(inputs)):
        return 0.0
    return float(np.abs(outputs - exact).max())


class Difference(NamedTuple):
    """The largest and the root mean square difference of two networks' outputs."""

    largest: float
    rms: float


def compare(a: Model, b: Model, role: str) -> Difference:
    """Run both networks on the same inputs and compare their outputs number by number.

    Raises:
        ExportError: the outputs differ in shape, or a number is not finite.
    """
    differences = []
    for inputs in _all_inputs(a, role):
        x, y = a.run(inputs), b.run(inputs)
        if x.shape != y.shape or not (np.isfinite(x).all() and np.isfinite(y).all()):
            raise ExportError(
                f"cannot export the {role}: on the same inputs, the networks return {x.shape} "
                f"and {y.shape}, or a number is not finite. Train the model again, or correct "
                "its architecture."
            )
        differences.append(np.abs(x - y).ravel())
    all_differences = np.concatenate(differences)
    rms = math.sqrt(float(np.square(all_differences).mean(dtype=float)))
    return Difference(float(all_differences.max()), rms)


def _batches(spec: ModelSpec) -> tuple[int, ...]:
    return LARGE_BATCHES if is_large(spec.data.image) else BATCHES


def _all_inputs(model: Model, role: str) -> Iterator[dict[str, NDArray[Any]]]:
    cases: list[tuple[int, Size | None]] = [(n, None) for n in _batches(model.spec)]
    cases += [(1, size) for size in _other_sizes(model.spec, role)]
    for n, size in cases:
        for seed in SEEDS:
            yield _inputs(model.spec, role, n, seed, size)


def _other_sizes(spec: ModelSpec, role: str) -> list[Size]:
    """Return two sizes besides that of the training, for a translator that reads any size."""
    if spec.sizes is None or not has_any_size(spec, role):
        return []
    image, sizes = spec.data.condition, spec.sizes
    assert image is not None
    return [
        (sizes.padded(image.height // 2), sizes.padded(image.width + 1)),
        (sizes.padded(image.height + 1), sizes.padded(image.width // 2)),
    ]


def _inputs(
    spec: ModelSpec, role: str, n: int, seed: int, size: Size | None
) -> dict[str, NDArray[Any]]:
    """Return test inputs: normal latents, consecutive classes, and noise images in [-1, 1]."""
    inputs: dict[str, NDArray[Any]] = {}
    for name, shape in signature(spec, role, size)[0].items():
        if name == "y":
            inputs[name] = np.arange(seed, seed + n) % spec.data.classes
        else:
            noise = latents.normal(seed, n, math.prod(shape)).reshape(n, *shape)
            inputs[name] = noise if name == "z" else np.tanh(noise)
    return inputs
