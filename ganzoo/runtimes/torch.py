"""A bundle's networks as `nn.Module`s."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ganzoo.bundle import METADATA_KEY, Bundle, check_repeated_config
from ganzoo.bundle.tensors import SCALE, is_scale, open_tensors
from ganzoo.errors import BundleError, DeviceError, ExportError
from ganzoo.registry import architectures
from ganzoo.registry.signatures import check
from ganzoo.runtimes.build import (
    build,
    explain_versions,
    find_architecture,
    warn_of_versions,
)
from ganzoo.runtimes.devices import gpu_number
from ganzoo.runtimes.int8 import dequantize
from ganzoo.runtimes.weights import check_dtypes, check_finite
from ganzoo.sampling.generator import Encoder, Generator, Model, Translator
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
    """A translator: ``forward(condition)`` or ``forward(condition, z)`` -> images."""


class TorchEncoder(TorchModel, Encoder):
    """An encoder: ``forward(images)`` -> latents."""

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return the mean of each image's latents."""
        mean: Tensor = self.network(*inputs)[0]
        return mean


def find_device(device: str) -> torch.device:
    """Return a device of torch's by name, see `gpu_number`.

    Raises:
        DeviceError: no such device, or it is not there.
    """
    number = gpu_number(device)
    if number is None:
        return torch.device("cpu")
    if number < torch.cuda.device_count():
        return torch.device("cuda", number)
    reason = f"torch {torch.__version__} finds {torch.cuda.device_count()} NVIDIA GPUs"
    if device != "auto":
        raise DeviceError(f"device {device!r} is not there: {reason}. device='cpu' is.")
    warnings.warn(f"computing on the CPU: {reason}", stacklevel=3)
    return torch.device("cpu")


def load_torch(bundle: Bundle, role: str = "generator") -> TorchModel:
    """Build one of a bundle's networks and give it the bundle's weights.

    The network is first built without memory and compared with the file's header, so that a config
    that asks for absurd sizes is refused before anything is allocated.

    Raises:
        BundleError: the weights are not safetensors, are damaged, do not fit the config by shape or
            dtype, or are not finite.
        MissingPluginError: the architecture's plugin is not installed, or switched off.
        BrokenPluginError: it is installed, but cannot be loaded.
    """
    weights = bundle.weights_of(role)
    with open_tensors(weights) as file:
        metadata = file.metadata() or {}
        slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
        stored = {name: part for name, part in slices.items() if not is_scale(name, slices)}
        check_repeated_config(bundle, weights, metadata.get(METADATA_KEY))
        entry = find_architecture(bundle, role)
        network = build(bundle.spec, role, entry)
        expected = network.state_dict()
        shapes = {name: tuple(part.get_shape()) for name, part in stored.items()}
        _check_shapes(weights, shapes, expected, explain_versions(bundle.spec, entry))
        plain = {k: p.get_dtype() for k, p in stored.items() if f"{k}{SCALE}" not in slices}
        check_dtypes(weights, plain, expected)
        tensors = dequantize(weights, {name: file.get_tensor(name) for name in slices})
    check_finite(weights, tensors)
    tensors = {name: tensor.to(expected[name].dtype) for name, tensor in tensors.items()}
    network.load_state_dict(tensors, strict=True, assign=True)
    if any(tensor.is_meta for tensor in network.buffers()):
        raise BundleError(
            f"architecture {bundle.spec.architecture!r} keeps a buffer out of its state_dict, so "
            "its weights alone do not make it whole. Its author should register it as persistent."
        )
    warn_of_versions(bundle, entry)
    return wrap(bundle.spec, network.requires_grad_(False), role)


def rebuild(
    model: TorchModel, bundle: Bundle, arguments: Mapping[str, Any], role: str = "generator"
) -> TorchModel:
    """Give a model's weights to the network that other arguments of its architecture build.

    Args:
        model: stays as it is.
        bundle: where it was loaded from.
        arguments: those that differ.
        role: of the network.

    Raises:
        RecipeError: an argument that the architecture does not have, or of the wrong type.
        ExportError: they build a network of other weights or inputs, or none.
    """
    spec = model.spec
    entry = find_architecture(bundle, role)
    factory = architectures.load(entry)
    changed = check("architecture", spec.architecture, factory, arguments)
    spec = replace(spec, arguments=spec.arguments | changed)
    asked = ", ".join(f"{name} {value}" for name, value in changed.items())
    weights = model.network.state_dict()
    try:
        network = build(spec, role, entry)
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
    return (TorchTranslator if "condition" in spec.inputs else TorchGenerator)(spec, network)


def _shapes(tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def _check_shapes(
    weights: Path,
    header: Mapping[str, tuple[int, ...]],
    expected: Mapping[str, Tensor],
    versions: str,
) -> None:
    wanted = _shapes(expected)
    if header == wanted:
        return
    name = min(dict(set(header.items()) ^ set(wanted.items())))
    raise BundleError(
        f"{weights} does not fit config.json: tensor {name!r} has shape "
        f"{header.get(name, 'none')} in the file and {wanted.get(name, 'none')} in the network."
        f"{versions or ' Get the bundle again.'}"
    )
