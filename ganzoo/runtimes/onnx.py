"""Run a bundle's networks with onnxruntime. Imports no torch."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy import float32
from numpy.typing import NDArray

from ganzoo.bundle import Bundle, check_repeated_config, weights_name
from ganzoo.bundle.summary import count_parameters
from ganzoo.errors import BundleError, SampleError
from ganzoo.runtimes.onnx_file import read_onnx
from ganzoo.runtimes.onnx_parts import cut, find_first_layer
from ganzoo.runtimes.onnx_work import Work
from ganzoo.runtimes.sessions import CUDA, MAX_MEMORY, explain, open_session
from ganzoo.runtimes.signature import (
    ANY,
    FIRST_LAYER,
    MAPPING,
    SYNTHESIS,
    declared_signature,
    has_any_size,
    signature,
)
from ganzoo.sampling.generator import Generator
from ganzoo.sampling.model import Model
from ganzoo.sampling.translation import Encoder, Translator


class OnnxModel(Model):
    """A network that onnxruntime runs on NumPy arrays."""

    memory_factor = 2  # its arena is larger, see `tools/bench_upscale.py --photo`

    def __init__(
        self,
        bundle: Bundle,
        role: str = "generator",
        *,
        device: str = "cpu",
        threads: int | None = None,
    ) -> None:
        """Open a session on the role's ONNX file; arguments as for `open_session`.

        The roles ``mapping``, ``synthesis`` and ``first_layer`` are parts of a generator.

        Raises:
            BundleError: the file is missing, is not ONNX, does not match the config, or fails the
                checks of `ganzoo.runtimes.onnx_file.read_onnx` or `ganzoo.runtimes.onnx_work`.
            DeviceError: the device is not available.
        """
        self.spec = bundle.spec
        self._parts: dict[str, Model] = {}
        self._open = functools.partial(OnnxModel, bundle, device=device, threads=threads)
        is_part = role in (MAPPING, SYNTHESIS, FIRST_LAYER)
        file = bundle.require_onnx("generator" if is_part else role)
        graph = read_onnx(file)
        check_repeated_config(bundle, file, graph.config)
        ends = declared_signature(self.spec, role)
        if role == FIRST_LAYER:
            whole, features = Work(graph, file, self.spec, role), find_first_layer(graph)
            whole.check(1)
            ends = ends[0], {features: whole.shape_of(features)}
        if is_part:
            graph = cut(graph, *ends)
        self._weights = bundle.path / weights_name(role)
        self._w_average = graph.w_average
        self._work = Work(graph, file, self.spec, role)
        self._work.check(1)  # a session computes constants when it opens
        dim = self.spec.styles.dim if self.spec.styles and role == "generator" else None
        if dim and (graph.w_average is None or len(graph.w_average) != dim):
            raise BundleError(f"{file} has no average of w. Export the model again.")
        self._session = open_session(graph.content, file, device=device, threads=threads)
        inputs = _describe(self._session.get_inputs())
        outputs = _describe(self._session.get_outputs())
        self._check_signature(file, inputs, outputs, *ends)
        self._role, self._features = role, ends[1] if role == FIRST_LAYER else None
        self.is_batch_invariant = CUDA not in self._session.get_providers()

    @property
    def w_average(self) -> NDArray[float32] | None:
        """The average of w, (dim,); None for a network without styles."""
        return self._w_average

    def free_memory(self) -> int:
        """Return the free bytes of the memory that the network runs in, at most its limit."""
        return min(super().free_memory(), MAX_MEMORY)

    @property
    def peak(self) -> int:
        """How many numbers are in memory at once, for one image of the training's size."""
        return self._work.peak()

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> NDArray[float32]:
        """Run the network.

        Args:
            inputs: one array for each input, by name; the first dimension is the batch.

        Raises:
            SampleError: onnxruntime fails, for example because the batch needs more memory than
                `ganzoo.runtimes.sessions.MAX_MEMORY`.
            BundleError: the output's shape or dtype does not match the config, or the work of the
                batch is beyond the limits of `ganzoo.runtimes.onnx_work`.
        """
        n, size = len(next(iter(inputs.values()))), None
        if has_any_size(self.spec, self._role):
            _, _, height, width = inputs["condition"].shape
            size = height, width
        self._work.check(n, size)
        outputs = self._features or signature(self.spec, self._role, size)[1]
        (shape,) = outputs.values()
        try:
            (result,) = self._session.run(None, dict(inputs))
        except Exception as error:
            raise SampleError(
                f"onnxruntime cannot run {self.spec.name!r} on a batch of {n:,}: {explain(error)}. "
                "Use a smaller batch."
            ) from error
        if result.shape != (n, *shape) or result.dtype != float32:
            raise BundleError(
                f"{self.spec.name!r} does not match its config: it returns {result.dtype} "
                f"{result.shape}, the config has float32 {(n, *shape)}. Export it again."
            )
        return result  # type: ignore[no-any-return]

    def _check_signature(
        self,
        file: Path,
        inputs: dict[str, list[int]],
        outputs: dict[str, list[int]],
        config_inputs: dict[str, list[int]],
        config_outputs: dict[str, list[int]],
    ) -> None:
        if inputs != config_inputs or outputs != config_outputs:
            raise BundleError(
                f"{file} does not match config.json: it maps {inputs} to {outputs}, the "
                f"config has {config_inputs} to {config_outputs}. Export the model again."
            )

    def describe_runtime(self) -> tuple[int | None, str]:
        """Return the number of parameters, None for a part of a generator, and the runtime."""
        parameters = None
        if self._role in self.spec.roles:
            parameters = count_parameters(self.spec, self._role, self._weights)
        device = "cpu" if self.is_batch_invariant else "cuda"
        return parameters, f"onnxruntime on {device}"


class OnnxGenerator(OnnxModel, Generator):
    """A generator that onnxruntime runs."""

    def part(self, role: str) -> Model:
        """Return a part of the network, whose session opens at its first use."""
        if role not in self._parts:
            self._parts[role] = self._open(role)
        return self._parts[role]

    __call__ = Generator.generate


class OnnxTranslator(OnnxModel, Translator):
    """A translator that onnxruntime runs."""


class OnnxEncoder(OnnxModel, Encoder):
    """An encoder that onnxruntime runs."""


def load_onnx(
    bundle: Bundle,
    role: str = "generator",
    *,
    device: str = "cpu",
    threads: int | None = None,
) -> OnnxModel:
    """Load one of a bundle's networks; device and threads as for `open_session`.

    Raises:
        BundleError: its ONNX file is missing, damaged, or does not fit the config.
        DeviceError: the device is not available.
    """
    kind: type[OnnxModel] = OnnxGenerator
    if role == "encoder":
        kind = OnnxEncoder
    elif "condition" in bundle.spec.inputs:
        kind = OnnxTranslator
    return kind(bundle, role, device=device, threads=threads)


def _describe(values: list[Any]) -> dict[str, list[int]]:
    """Return the shapes of inputs or outputs by name, without the batch dimension."""
    return {
        value.name: [n if isinstance(n, int) else ANY for n in value.shape[1:]] for value in values
    }
