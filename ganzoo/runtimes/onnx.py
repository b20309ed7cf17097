"""A bundle's networks under onnxruntime. Imports no torch."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnxruntime as ort
from numpy import float32
from numpy.typing import NDArray

from ganzoo.bundle import METADATA_KEY, Bundle, check_repeated_config
from ganzoo.errors import BundleError
from ganzoo.generator import Encoder, Generator, Model, Translator
from ganzoo.spec import ModelSpec


class OnnxModel(Model):
    """A network that onnxruntime runs on the CPU; takes and returns NumPy arrays."""

    def __init__(self, bundle: Bundle, role: str = "generator") -> None:
        """Open a session on the role's ONNX file.

        Raises:
            BundleError: there is none, it is not ONNX, or it does not match the config.
        """
        self.spec = bundle.spec
        file = bundle.onnx_of(role)
        if not file.is_file():
            raise BundleError(
                f"{bundle.path} holds no {file.name}. Write it with `ganzoo export {bundle.path}`, "
                'or use runtime="torch".'
            )
        options = ort.SessionOptions()
        options.log_severity_level = 3
        threads = os.environ.get("OMP_NUM_THREADS", "")
        if threads.isdecimal():  # as torch does: processes side by side must share the cores
            options.intra_op_num_threads = int(threads)
        try:
            self._session = ort.InferenceSession(
                str(file), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            raise BundleError(f"onnxruntime cannot read {file}: {error}") from error
        properties = self._session.get_modelmeta().custom_metadata_map
        check_repeated_config(bundle, file, properties.get(METADATA_KEY))
        self._check_signature(file, *signature(self.spec, role))

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> NDArray[float32]:
        """Run the network."""
        (result,) = self._session.run(None, dict(inputs))
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
