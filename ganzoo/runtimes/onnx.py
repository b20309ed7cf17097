"""A bundle's networks under onnxruntime. Imports no torch."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnxruntime as ort
from numpy import float32
from numpy.typing import NDArray

from ganzoo.bundle import Bundle, check_repeated_config
from ganzoo.errors import BundleError
from ganzoo.generator import Encoder, Generator, Model, Translator
from ganzoo.runtimes.onnx_file import read_config
from ganzoo.spec import ModelSpec

MAX_MEMORY = 2**34  # bytes, 16 GiB, that all networks of a process may take together


class OnnxModel(Model):
    """A network that onnxruntime runs on the CPU; takes and returns NumPy arrays.

    Weights and all that is computed may take `MAX_MEMORY` at once; what asks for more is refused,
    since a small file may well declare a computation that takes terabytes.
    """

    def __init__(self, bundle: Bundle, role: str = "generator") -> None:
        """Open a session on the role's ONNX file.

        Raises:
            BundleError: there is none, it is not ONNX, it does not match the config, or it is not
                to be trusted (`ganzoo.runtimes.onnx_file.read_config`).
        """
        self.spec = bundle.spec
        file = bundle.onnx_of(role)
        if not file.is_file():
            raise BundleError(
                f"{bundle.path} holds no {file.name}. Write it with `ganzoo export {bundle.path}`, "
                'or use runtime="torch".'
            )
        check_repeated_config(bundle, file, read_config(file))
        _limit_memory()
        options = ort.SessionOptions()
        options.log_severity_level = 4
        options.add_session_config_entry("session.use_env_allocators", "1")
        threads = os.environ.get("OMP_NUM_THREADS", "")
        if threads.isdecimal():  # as torch does: processes side by side must share the cores
            options.intra_op_num_threads = int(threads)
        try:
            self._session = ort.InferenceSession(
                str(file), options, providers=["CPUExecutionProvider"], enable_fallback=0
            )  # to which it would fall back, after printing why
            inputs = _describe(self._session.get_inputs())
            outputs = _describe(self._session.get_outputs())
        except Exception as error:
            raise BundleError(f"onnxruntime cannot read {file}: {_in_a_line(error)}") from error
        self._check_signature(file, inputs, outputs, *signature(self.spec, role))
        (self._shape,) = signature(self.spec, role)[1].values()

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> NDArray[float32]:
        """Run the network.

        Raises:
            BundleError: onnxruntime cannot run it, such as where it takes more than `MAX_MEMORY`,
                or it makes something else than it says.
        """
        try:
            (result,) = self._session.run(None, dict(inputs))
        except Exception as error:
            raise BundleError(
                f"onnxruntime cannot run {self.spec.name!r}: {_in_a_line(error)}"
            ) from error
        n = len(next(iter(inputs.values())))
        if result.shape != (n, *self._shape) or result.dtype != float32:
            raise BundleError(
                f"{self.spec.name!r} does not match its config: it makes {result.dtype} "
                f"{result.shape} where that says float32 {(n, *self._shape)}. Export it again."
            )
        return result  # type: ignore[no-any-return]

    def _check_signature(
        self,
        file: Path,
        inputs: dict[str, list[int]],
        outputs: dict[str, list[int]],
        wanted_in: dict[str, list[int]],
        wanted_out: dict[str, list[int]],
    ) -> None:
        if inputs != wanted_in or outputs != wanted_out:
            raise BundleError(
                f"{file} does not match config.json: it maps {inputs} to {outputs}, the "
                f"config says {wanted_in} to {wanted_out}. Export the model again."
            )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.spec.name!r}, {self.spec.data.image})"


class OnnxGenerator(OnnxModel, Generator):
    """A generator under onnxruntime."""

    __call__ = Generator.generate


class OnnxTranslator(OnnxModel, Translator):
    """A translator under onnxruntime."""


class OnnxEncoder(OnnxModel, Encoder):
    """An encoder under onnxruntime."""


def load_onnx(bundle: Bundle, role: str = "generator") -> OnnxModel:
    """Open one of a bundle's networks.

    Raises:
        BundleError: its ONNX file is absent, damaged, or does not fit the config.
    """
    if role == "encoder":
        return OnnxEncoder(bundle, role)
    if "source" in bundle.spec.inputs:
        return OnnxTranslator(bundle, role)
    return OnnxGenerator(bundle, role)


def signature(spec: ModelSpec, role: str) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
    """Return inputs and outputs by name, each with its shape but for the batch."""
    image = list(spec.data.image.shape)
    latent = [spec.latent.dim] if spec.latent else []
    if role == "encoder":
        return {"images": image}, {"z": latent}
    condition = list(spec.data.condition.shape) if spec.data.condition else []
    shapes: dict[str, list[int]] = {"source": condition, "z": latent, "y": []}
    return {name: shapes[name] for name in spec.inputs}, {"images": image}


@functools.cache
def _limit_memory() -> None:
    """Give all sessions of the process one pool of memory that does not outgrow `MAX_MEMORY`."""
    kind = ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR
    pool = ort.OrtMemoryInfo("Cpu", kind, 0, ort.OrtMemType.DEFAULT)
    as_requested = 1  # by which the pool grows
    limits = ort.OrtArenaCfg({"max_mem": MAX_MEMORY, "arena_extend_strategy": as_requested})
    with contextlib.suppress(RuntimeError):  # the program has one already, and its own limits
        ort.create_and_register_allocator(pool, limits)


def _describe(values: list[Any]) -> dict[str, list[int]]:
    """Inputs or outputs by name, each with its shape but for the batch."""
    return {value.name: value.shape[1:] for value in values}


def _in_a_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
