"""A network of a bundle that runs on NumPy arrays: the base class of both runtimes' models."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganzoo.errors import SampleError, quantity
from ganzoo.sampling.sizes import compute_batch
from ganzoo.spec import ModelSpec, as_integer, as_number
from ganzoo.system.memory import free_host_memory

MAX_LATENT = 100.0  # larger than any draw from N(0, 1); intact networks may overflow beyond it


Inputs = Mapping[str, NDArray[Any]]  # of a network, by name


class Model(ABC):
    """A network of a bundle.

    Attributes:
        spec: the config of the model.
        is_batch_invariant: whether an output has the same bits in a batch of any size.
        memory_factor: how much more memory the runtime takes for the same results than torch.
    """

    spec: ModelSpec
    is_batch_invariant = False
    memory_factor = 1

    @abstractmethod
    def run(self, inputs: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """Run the network on named arrays with equal first dimensions."""

    def describe_runtime(self) -> tuple[int | None, str]:
        """Return the number of parameters, None if unknown, and the runtime with its device."""
        return None, "unknown runtime"

    def __repr__(self) -> str:
        parameters, runtime = self.describe_runtime()
        facts = [str(self.spec.data.image)]
        if "y" in self.spec.inputs:
            facts.append(quantity(self.spec.data.classes, "class"))
        if parameters is not None:
            facts.append(quantity(parameters, "parameter"))
        return f"<{type(self).__name__} {self.spec.name}: {', '.join([*facts, runtime])}>"

    def part(self, role: str) -> Model:
        """Return a part of a generator.

        Args:
            role: with styles ``mapping`` or ``synthesis``; for any generator ``first_layer``, the
                first linear layer or convolution that reads z.
        """
        raise NotImplementedError

    @property
    def w_average(self) -> NDArray[np.float32] | None:
        """The average of w, (dim,); None for a network without styles."""
        return None

    def free_memory(self) -> int:
        """Return the free bytes of the memory that the network runs in."""
        return free_host_memory()

    def accelerate(self, local_rank: int = 0) -> None:  # noqa: B027 - a runtime may have no GPU
        """Move the model to the local GPU of that index, if the runtime supports GPUs."""


def run_in_parts(model: Model, inputs: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
    """Run a network on any number of inputs, in batches."""
    n, batch = len(next(iter(inputs.values()))), compute_batch(model.spec)
    parts = [
        model.run({name: array[k : k + batch] for name, array in inputs.items()})
        for k in range(0, n, batch)
    ]
    return np.concatenate(parts)


def run_in_batches(
    model: Model,
    inputs: Inputs,
    start: int = 0,
    convert: Callable[[NDArray[np.float32], Mapping[str, NDArray[Any]]], NDArray[Any]]
    | None = None,
) -> NDArray[Any]:
    """Run a network on any number of inputs, so that a row depends on its own inputs alone.

    Kernels may round differently in a batch of another size, or in another row. So batches are
    filled up to one size, and row k is always row (start + k) modulo this size, unless the runtime
    computes the same bits in any batch.

    Args:
        model: the network.
        inputs: arrays of n rows by name.
        start: number of the first row in its series.
        convert: from the output and the inputs of each batch to the result.
    """
    n, size = len(next(iter(inputs.values()))), compute_batch(model.spec)
    before = 0 if model.is_batch_invariant else start % size
    after = 0 if model.is_batch_invariant else -(before + n) % size
    if before or after:
        rows = np.clip(np.arange(-before, n + after), 0, n - 1)
        inputs = {name: array[rows] for name, array in inputs.items()}
    parts = []
    for k in range(0, before + n + after, size):
        batch = {name: array[k : k + size] for name, array in inputs.items()}
        output = model.run(batch)
        parts.append(output if convert is None else convert(output, batch))
    return np.concatenate(parts)[before : before + n]


def check_finite(
    output: NDArray[np.float32], name: str, latents: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Return a network's output, or raise a SampleError if a number is not finite.

    Args:
        output: the output.
        name: name of the model.
        latents: the z or w that the network read.
    """
    if not np.isfinite(output).all():
        if latents is not None and (largest := float(np.abs(latents).max())) > MAX_LATENT:
            raise SampleError(
                f"{name!r} generates values that are not finite from latents that reach "
                f"{largest:.3g}; in its training they were of the order of 1. Pass smaller ones."
            )
        raise SampleError(
            f"{name!r} generates values that are not finite, so its weights are damaged. "
            "Get another version of the model."
        )
    return output


def to_integer(name: str, value: Any) -> int:
    """Return an integer argument, or raise a SampleError if it is none."""
    try:
        return as_integer(name, value)
    except ValueError as error:
        raise SampleError(f"{error}.") from error


def to_number(name: str, value: Any) -> float:
    """Return a number argument, or raise a SampleError if it is none."""
    try:
        return float(as_number(name, value))
    except ValueError as error:
        raise SampleError(f"{error}.") from error


def check_latents(seed: int, start: int) -> tuple[int, int]:
    """Return a seed and the number of its first image, or raise a SampleError."""
    seed, start = to_integer("seed", seed), to_integer("start", start)
    if not 0 <= seed < 2**64:
        raise SampleError(f"seed is {seed}; it must be 0 to 2**64 - 1.")
    if not 0 <= start < 2**48:
        raise SampleError(f"start is {start}; it must be 0 to 2**48 - 1.")
    return seed, start
