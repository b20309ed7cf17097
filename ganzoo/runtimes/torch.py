"""A bundle's generator as an `nn.Module`."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from ganzoo.bundle import METADATA_KEY, Bundle, check_repeated_config
from ganzoo.errors import BundleError, MissingPluginError, UnknownNameError
from ganzoo.generator import Generator
from ganzoo.registry import architectures
from ganzoo.signatures import bind
from ganzoo.spec import ModelSpec


class TorchGenerator(nn.Module, Generator):
    """A generator that torch runs: ``.to("cuda")``, ``torch.compile`` and ``eval`` work.

    ``forward(z)`` maps float32 (n, latent_dim) to (n, channels, height, width) in [-1, 1].
    """

    def __init__(self, spec: ModelSpec, network: nn.Module) -> None:
        super().__init__()
        self.spec = spec
        self.network = network
        self.eval()

    def forward(self, z: Tensor) -> Tensor:
        """Run the network."""
        images: Tensor = self.network(z)
        return images

    @torch.inference_mode()
    def generate(self, z: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run the network on NumPy arrays, in eval mode whatever mode the module is in."""
        self._check_latents(z.shape)
        parameter = next(self.parameters())
        modes = [(module, module.training) for module in self.modules()]
        self.eval()
        try:
            images = self(torch.from_numpy(z).to(parameter.device, parameter.dtype))
        finally:
            for module, training in modes:
                module.training = training
        result: NDArray[np.float32] = images.float().cpu().numpy()
        return result


def load_torch(bundle: Bundle) -> TorchGenerator:
    """Build the bundle's generator and give it the bundle's weights.

    The network is first built without memory and compared with the file's header, so that a config
    that asks for absurd sizes is refused before anything is allocated.

    Raises:
        BundleError: the weights are not safetensors, are damaged, or do not fit the config.
        MissingPluginError: the architecture's plugin is not installed.
        BrokenPluginError: it is, but cannot be loaded.
    """
    try:
        with safe_open(bundle.weights, framework="pt") as file:
            metadata = file.metadata() or {}
            header = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
            check_repeated_config(bundle, bundle.weights, metadata.get(METADATA_KEY))
            network = _build_without_memory(bundle.spec)
            _check_shapes(bundle, header, network.state_dict())
            tensors = {name: file.get_tensor(name) for name in header}
    except SafetensorError as error:
        raise BundleError(
            f"{bundle.weights} is not a whole safetensors file: {error}. Get the bundle again."
        ) from error
    network.load_state_dict(tensors, strict=True, assign=True)
    if any(tensor.is_meta for tensor in network.buffers()):
        raise BundleError(
            f"architecture {bundle.spec.architecture!r} keeps a buffer out of its state_dict, so "
            "its weights alone do not make it whole. Its author should register it as persistent."
        )
    return TorchGenerator(bundle.spec, network.requires_grad_(False))


def _build_without_memory(spec: ModelSpec) -> nn.Module:
    # By the distribution that trained it: another may have come to register the same name.
    source = re.match(r"[A-Za-z0-9._-]+", spec.requires[0]) if spec.requires else None
    try:
        factory = architectures.get(
            f"{source[0]}:{spec.architecture}" if source else spec.architecture
        )
    except (UnknownNameError, MissingPluginError) as error:
        remedy = (
            f"It needs {', '.join(spec.requires)}: pip install {' '.join(map(repr, spec.requires))}"
            if spec.requires
            else "It was registered in the program that trained it: import that first"
        )
        raise MissingPluginError(
            f"{spec.name!r} is built by the architecture {spec.architecture!r}, which is not "
            f"installed. {remedy}, or run it without the architecture: runtime='onnx'."
        ) from error
    try:
        arguments = bind("architecture", spec.architecture, factory, spec.arguments)
        with torch.device("meta"):
            network = factory(spec.data, **arguments)["generator"]
    except (ValueError, TypeError, RuntimeError, KeyError) as error:
        raise BundleError(
            f"architecture {spec.architecture!r} cannot be built as config.json asks: {error}"
        ) from error
    if not isinstance(network, nn.Module):
        raise BundleError(f"architecture {spec.architecture!r} builds no network as generator.")
    if "latent_dim" in inspect.signature(factory).parameters and (
        arguments["latent_dim"] != spec.latent.dim
    ):
        raise BundleError(
            f"config.json contradicts itself: latent_dim {arguments['latent_dim']}, latent "
            f"{spec.latent.dim}."
        )
    return network


def _check_shapes(
    bundle: Bundle, header: Mapping[str, tuple[int, ...]], expected: Mapping[str, Tensor]
) -> None:
    wanted = {name: tuple(tensor.shape) for name, tensor in expected.items()}
    if header == wanted:
        return
    name = min(dict(set(header.items()) ^ set(wanted.items())))
    raise BundleError(
        f"{bundle.weights} does not fit config.json: tensor {name!r} has shape "
        f"{header.get(name, 'none')} in the file and {wanted.get(name, 'none')} in the network. "
        "Get the bundle again."
    )
