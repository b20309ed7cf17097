"""A bundle's networks as `nn.Module`s."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from ganzoo.bundle import METADATA_KEY, Bundle, check_repeated_config
from ganzoo.errors import BundleError, ExportError, MissingPluginError, UnknownNameError
from ganzoo.generator import Encoder, Generator, Model, Translator
from ganzoo.nn import inputs_of
from ganzoo.registry import architectures
from ganzoo.signatures import bind, check
from ganzoo.spec import ModelSpec


class TorchModel(nn.Module, Model):
    """A network that torch runs: ``.to("cuda")``, ``torch.compile`` and ``eval`` work.

    ``forward`` takes and returns tensors, float32, images in [-1, 1].
    """

    def __init__(self, spec: ModelSpec, network: nn.Module) -> None:
        super().__init__()
        self.spec = spec
        self.network = network
        self.eval()

    def forward(self, *inputs: Tensor) -> Tensor:
        """Run the network."""
        result: Tensor = self.network(*inputs)
        return result

    @torch.inference_mode()
    def run(self, inputs: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """Run the network on NumPy arrays, in eval mode whatever mode the module is in."""
        parameter = next(self.parameters())
        modes = [(module, module.training) for module in self.modules()]
        self.eval()
        tensors = [torch.from_numpy(array).to(parameter.device) for array in inputs.values()]
        try:
            result = self(*(t.to(parameter.dtype) if t.is_floating_point() else t for t in tensors))
        finally:
            for module, training in modes:
                module.training = training
        array: NDArray[np.float32] = result.float().cpu().numpy()
        return array

    def accelerate(self, local_rank: int = 0) -> None:
        """Move to this machine's GPU of that number, modulo how many there are, if any.

        From then on this process's convolutions are deterministic ones, so that an image does not
        depend on who made it.
        """
        if torch.cuda.is_available():
            torch.backends.cudnn.deterministic = True
            self.to(torch.device("cuda", local_rank % torch.cuda.device_count()))


class TorchGenerator(TorchModel, Generator):
    """A generator: ``forward(z)`` or ``forward(z, y)`` -> images."""


class TorchTranslator(TorchModel, Translator):
    """A translator: ``forward(source)`` or ``forward(source, z)`` -> images."""


class TorchEncoder(TorchModel, Encoder):
    """An encoder: ``forward(images)`` -> latents."""

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return the mean of each image's latents."""
        mean: Tensor = self.network(*inputs)[0]
        return mean


def load_torch(bundle: Bundle, role: str = "generator") -> TorchModel:
    """Build one of a bundle's networks and give it the bundle's weights.

    The network is first built without memory and compared with the file's header, so that a config
    that asks for absurd sizes is refused before anything is allocated.

    Raises:
        BundleError: the weights are not safetensors, are damaged, or do not fit the config.
        MissingPluginError: the architecture's plugin is not installed.
        BrokenPluginError: it is, but cannot be loaded.
    """
    weights = bundle.weights_of(role)
    try:
        with safe_open(weights, framework="pt") as file:
            metadata = file.metadata() or {}
            header = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
            check_repeated_config(bundle, weights, metadata.get(METADATA_KEY))
            network = _build_without_memory(bundle.spec, role)
            expected = network.state_dict()
            _check_shapes(weights, header, expected)
            tensors = {name: file.get_tensor(name) for name in header}
    except SafetensorError as error:
        raise BundleError(
            f"{weights} is not a whole safetensors file: {error}. Get the bundle again."
        ) from error
    for name, tensor in tensors.items():
        if tensor.is_floating_point() != expected[name].is_floating_point():
            raise BundleError(
                f"{weights} does not fit config.json: tensor {name!r} holds {tensor.dtype} in the "
                f"file and {expected[name].dtype} in the network. Get the bundle again."
            )
        tensors[name] = tensor.to(expected[name].dtype)
    network.load_state_dict(tensors, strict=True, assign=True)
    if any(tensor.is_meta for tensor in network.buffers()):
        raise BundleError(
            f"architecture {bundle.spec.architecture!r} keeps a buffer out of its state_dict, so "
            "its weights alone do not make it whole. Its author should register it as persistent."
        )
    return wrap(bundle.spec, network.requires_grad_(False), role)


def rebuild(model: TorchModel, arguments: Mapping[str, Any], role: str = "generator") -> TorchModel:
    """Give a model's weights to the network that other arguments of its architecture build.

    Args:
        model: stays as it is.
        arguments: those that differ.
        role: of the network.

    Raises:
        RecipeError: an argument that the architecture does not have, or of the wrong type.
        ExportError: they build a network of other weights or inputs, or none.
    """
    spec = model.spec
    changed = check("architecture", spec.architecture, _find_architecture(spec), arguments)
    spec = replace(spec, arguments=spec.arguments | changed)
    asked = ", ".join(f"{name} {value}" for name, value in changed.items())
    weights = model.network.state_dict()
    try:
        network = _build_without_memory(spec, role)
    except BundleError as error:
        raise ExportError(
            f"{spec.name!r} cannot have {asked} after training: {error.__cause__ or error}"
        ) from error
    if _shapes(network.state_dict()) != _shapes(weights):
        raise ExportError(
            f"{spec.name!r} cannot have {asked} after training: its weights would be others. Train "
            "it so, or choose arguments that leave them as they are."
        )
    network.load_state_dict(weights, strict=True, assign=True)
    return wrap(spec, network.requires_grad_(False), role)


def wrap(spec: ModelSpec, network: nn.Module, role: str = "generator") -> TorchModel:
    """Give a network the methods of its role."""
    if role == "encoder":
        return TorchEncoder(spec, network)
    return (TorchTranslator if "source" in spec.inputs else TorchGenerator)(spec, network)


def _find_architecture(spec: ModelSpec) -> Callable[..., Any]:
    # By the distribution that trained it: another may have come to register the same name.
    source = re.match(r"[A-Za-z0-9._-]+", spec.requires[0]) if spec.requires else None
    name = f"{source[0]}:{spec.architecture}" if source else spec.architecture
    try:
        return architectures.get(name)
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


def _build_without_memory(spec: ModelSpec, role: str) -> nn.Module:
    factory = _find_architecture(spec)
    try:
        arguments = bind("architecture", spec.architecture, factory, spec.arguments)
        with torch.device("meta"):
            network = factory(spec.data, **arguments)[role]
    except (ValueError, TypeError, RuntimeError, KeyError) as error:
        raise BundleError(
            f"architecture {spec.architecture!r} cannot be built as config.json asks: {error}"
        ) from error
    if not isinstance(network, nn.Module):
        raise BundleError(f"architecture {spec.architecture!r} builds no network as {role}.")
    dim = spec.latent.dim if spec.latent else None
    stated = arguments.get("latent_dim", getattr(network, "latent_dim", dim))
    if role == "generator" and dim is not None and stated != dim:
        raise BundleError(
            f"config.json says that latents have {dim} numbers, architecture {spec.architecture!r} "
            f"builds a generator that reads {stated}."
        )
    if role == "generator" and inputs_of(network) != spec.inputs:
        raise BundleError(
            f"config.json says that the generator reads {spec.inputs}, architecture "
            f"{spec.architecture!r} builds one that reads {inputs_of(network)}."
        )
    return network


def _shapes(tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def _check_shapes(
    weights: Path, header: Mapping[str, tuple[int, ...]], expected: Mapping[str, Tensor]
) -> None:
    wanted = _shapes(expected)
    if header == wanted:
        return
    name = min(dict(set(header.items()) ^ set(wanted.items())))
    raise BundleError(
        f"{weights} does not fit config.json: tensor {name!r} has shape "
        f"{header.get(name, 'none')} in the file and {wanted.get(name, 'none')} in the network. "
        "Get the bundle again."
    )
