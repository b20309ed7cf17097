"""A bundle's networks under onnxruntime. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy import float32
from numpy.typing import NDArray

from ganzoo.bundle import METADATA_KEY, Bundle, check_repeated_config
from ganzoo.errors import BundleError, SampleError
from ganzoo.generator import Encoder, Generator, Model, Translator
from ganzoo.runtimes.sessions import open_session
from ganzoo.runtimes.signature import signature


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
            BundleError: there is none, it is not ONNX, or it does not match the config.
            DeviceError: the device is not there.
        """
        self.spec = bundle.spec
        file = bundle.onnx_of(role)
        if not file.is_file():
            raise BundleError(
                f"{bundle.path} holds no {file.name}. Write it with `ganzoo export {bundle.path}`, "
                'or use runtime="torch".'
            )
        self._session = open_session(file, device=device, threads=threads)
        properties = self._session.get_modelmeta().custom_metadata_map
        check_repeated_config(bundle, file, properties.get(METADATA_KEY))
        self._check_signature(file, *signature(self.spec, role))

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> NDArray[float32]:
        """Run the network.

        Raises:
            SampleError: onnxruntime cannot, such as for lack of memory.
        """
        try:
            (result,) = self._session.run(None, dict(inputs))
        except Exception as error:
            n = len(next(iter(inputs.values())))
            raise SampleError(
                f"onnxruntime cannot run {self.spec.name!r} on a batch of {n:,}: {error}"
            ) from error
        return result  # type: ignore[no-any-return]

    def _check_signature(
        self, file: Path, wanted_in: dict[str, list[int]], wanted_out: dict[str, list[int]]
    ) -> None:
        inputs = {i.name: i.shape[1:] for i in self._session.get_inputs()}
        outputs = {o.name: o.shape[1:] for o in self._session.get_outputs()}
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
    elif "source" in bundle.spec.inputs:
        kind = OnnxTranslator
    return kind(bundle, role, device=device, threads=threads)
