"""A bundle's networks under onnxruntime. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy import float32
from numpy.typing import NDArray

from ganzoo.bundle import Bundle, check_repeated_config
from ganzoo.errors import BundleError, SampleError
from ganzoo.runtimes.onnx_file import read_config
from ganzoo.runtimes.sessions import explain, open_session
from ganzoo.runtimes.signature import signature
from ganzoo.sampling.generator import Encoder, Generator, Model, Translator


class OnnxModel(Model):
    """A network that onnxruntime runs; takes and returns NumPy arrays."""

    def __init__(
        self,
        bundle: Bundle,
        role: str = "generator",
        *,
        device: str = "cpu",
        threads: int | None = None,
    ) -> None:
        """Open a session on the role's ONNX file; arguments as for `open_session`.

        Raises:
            BundleError: there is none, it is not ONNX, it does not match the config, or it is not
                to be trusted (`ganzoo.runtimes.onnx_file.read_config`).
            DeviceError: the device is not there.
        """
        self.spec = bundle.spec
        file = bundle.onnx_of(role)
        if not file.is_file():
            raise BundleError(
                f"{bundle.path} holds no {file.name}. Write it with `ganzoo export {bundle.path}`, "
                'or use runtime="torch".'
            )
        check_repeated_config(bundle, file, read_config(file))
        self._session = open_session(file, device=device, threads=threads)
        inputs = _describe(self._session.get_inputs())
        outputs = _describe(self._session.get_outputs())
        self._check_signature(file, inputs, outputs, *signature(self.spec, role))
        (self._shape,) = signature(self.spec, role)[1].values()

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> NDArray[float32]:
        """Run the network.

        Raises:
            SampleError: onnxruntime cannot run it, such as where it takes more than
                `ganzoo.runtimes.sessions.MAX_MEMORY`.
            BundleError: it makes something else than it says.
        """
        n = len(next(iter(inputs.values())))
        try:
            (result,) = self._session.run(None, dict(inputs))
        except Exception as error:
            raise SampleError(
                f"onnxruntime cannot run {self.spec.name!r} on a batch of {n:,}: {explain(error)}"
            ) from error
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


def load_onnx(
    bundle: Bundle,
    role: str = "generator",
    *,
    device: str = "cpu",
    threads: int | None = None,
) -> OnnxModel:
    """Open one of a bundle's networks; device and threads as for `open_session`.

    Raises:
        BundleError: its ONNX file is absent, damaged, or does not fit the config.
        DeviceError: the device is not there.
    """
    kind: type[OnnxModel] = OnnxGenerator
    if role == "encoder":
        kind = OnnxEncoder
    elif "condition" in bundle.spec.inputs:
        kind = OnnxTranslator
    return kind(bundle, role, device=device, threads=threads)


def _describe(values: list[Any]) -> dict[str, list[int]]:
    """Inputs or outputs by name, each with its shape but for the batch."""
    return {value.name: value.shape[1:] for value in values}
