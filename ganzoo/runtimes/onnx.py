"""A bundle's generator under onnxruntime. Imports no torch."""

from __future__ import annotations

import onnxruntime as ort
from numpy import float32
from numpy.typing import NDArray

from ganzoo.bundle import METADATA_KEY, Bundle, check_repeated_config
from ganzoo.errors import BundleError
from ganzoo.generator import Generator


class OnnxGenerator(Generator):
    """A generator that onnxruntime runs on the CPU; takes and returns NumPy arrays."""

    def __init__(self, bundle: Bundle) -> None:
        """Open a session on the bundle's model.onnx.

        Raises:
            BundleError: there is none, it is not ONNX, or it does not match the config.
        """
        self.spec = bundle.spec
        if not bundle.onnx.is_file():
            raise BundleError(
                f"{bundle.path} holds no model.onnx. Write it with `ganzoo export {bundle.path}`, "
                'or use runtime="torch".'
            )
        options = ort.SessionOptions()
        options.log_severity_level = 3
        try:
            self._session = ort.InferenceSession(
                str(bundle.onnx), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            raise BundleError(f"onnxruntime cannot read {bundle.onnx}: {error}") from error
        properties = self._session.get_modelmeta().custom_metadata_map
        check_repeated_config(bundle, bundle.onnx, properties.get(METADATA_KEY))
        self._check_signature(bundle)

    def generate(self, z: NDArray[float32]) -> NDArray[float32]:
        """Run the network: float32 (n, latent_dim) -> float32 (n, channels, height, width)."""
        self._check_latents(z.shape)
        (images,) = self._session.run(["images"], {"z": z})
        return images  # type: ignore[no-any-return]

    __call__ = generate

    def _check_signature(self, bundle: Bundle) -> None:
        inputs = [(i.name, i.shape[1:]) for i in self._session.get_inputs()]
        outputs = [(o.name, o.shape[1:]) for o in self._session.get_outputs()]
        expected_in = [("z", [self.spec.latent.dim])]
        expected_out = [("images", list(self.spec.data.image.shape))]
        if inputs != expected_in or outputs != expected_out:
            raise BundleError(
                f"{bundle.onnx} does not match config.json: it maps {inputs} to {outputs}, the "
                f"config says {expected_in} to {expected_out}. Export the model again."
            )

    def __repr__(self) -> str:
        return f"OnnxGenerator({self.spec.name!r}, {self.spec.data.image})"
