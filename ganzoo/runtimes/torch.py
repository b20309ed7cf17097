"""Load a bundle's networks as `nn.Module`s."""

from __future__ import annotations

import copy
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
from ganzoo.errors import BundleError, DeviceError, ExportError, SampleError
from ganzoo.nn import StyleGenerator, exact_inference, in_eval_mode, style_spec_of, torch_defaults
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
from ganzoo.runtimes.linear_layers import find_style_maps, run_first_layer
from ganzoo.runtimes.signature import FIRST_LAYER, MAPPING, SYNTHESIS
from ganzoo.runtimes.weights import check_dtypes, check_finite
from ganzoo.sampling.generator import Generator
from ganzoo.sampling.latents import normal
from ganzoo.sampling.model import Model
from ganzoo.sampling.translation import Encoder, Translator
from ganzoo.spec import ModelSpec

NOISE_STRENGTH = "noise_strength"  # parameter of a layer: the factor of its noise


class TorchModel(nn.Module, Model):
    """A network that torch runs, as an `nn.Module`: ``.to("cuda")`` and ``train`` work.

    ``forward`` takes and returns float32 tensors; images are in [-1, 1]. To compile `sample` and
    the other methods, call ``model.compile()``. ``torch.compile(model)`` returns another module,
    which compiles calls of itself and nothing else.
    """

    def __init__(self, spec: ModelSpec, network: nn.Module) -> None:
        super().__init__()
        self.spec = spec
        self.network = network

    __repr__ = Model.__repr__  # ``print(model.network)`` shows the layers

    def describe_runtime(self) -> tuple[int, str]:
        """Return the number of parameters, and torch with its device."""
        parameters = list(self.parameters())
        return sum(p.numel() for p in parameters), f"torch on {parameters[0].device}"

    def forward(self, *inputs: Tensor) -> Tensor:
        """Run the network."""
        result: Tensor = self.network(*inputs)
        return result

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """Run the network on NumPy arrays in eval mode.

        The module does not change, and settings of the process such as torch's default dtype do
        not change the result.
        """
        parameter, model = next(self.parameters()), in_eval_mode(self)
        with exact_inference(parameter.device):
            tensors = [torch.from_numpy(array).to(parameter.device) for array in inputs.values()]
            result = model(
                *(t.to(parameter.dtype) if t.is_floating_point() else t for t in tensors)
            )
            array: NDArray[np.float32] = result.float().cpu().numpy()
        return array

    def part(self, role: str) -> TorchModel:
        """Return the mapping or synthesis network, or the first layer that reads z."""
        kinds = {MAPPING: TorchMapping, SYNTHESIS: TorchSynthesis, FIRST_LAYER: TorchFirstLayer}
        part = kinds[role](self.spec, self.network)
        part.training = self.training  # without a change of the network, which it shares
        return part

    def on_cpu(self) -> TorchModel:
        """Return the model in eval mode on the CPU: itself, or a copy if it is not."""
        model = in_eval_mode(self)
        if all(tensor.device.type == "cpu" for tensor in self.state_dict().values()):
            return model
        return copy.deepcopy(model).cpu()

    def free_memory(self) -> int:
        """Return the free bytes of the memory that the network runs in."""
        device, host = next(self.parameters()).device, super().free_memory()
        return min(host, torch.cuda.mem_get_info(device)[0]) if device.type == "cuda" else host

    def accelerate(self, local_rank: int = 0) -> None:
        """Move to GPU `local_rank` modulo the number of GPUs; do nothing without a GPU."""
        if torch.cuda.is_available():
            self.to(torch.device("cuda", local_rank % torch.cuda.device_count()))


class TorchGenerator(TorchModel, Generator):
    """A generator: ``forward(z)`` or ``forward(z, y)`` -> images."""

    @property
    def w_average(self) -> NDArray[np.float32] | None:
        """The average of w; None for a generator without styles."""
        if not isinstance(self.network, StyleGenerator):
            return None
        average: NDArray[np.float32] = self.network.mapping.average.detach().float().cpu().numpy()
        return average

    def style_maps(self) -> dict[int, list[NDArray[np.float32]]]:
        """Return the matrices of the linear layers that read w; see `Generator.style_maps`."""
        shape, parameter = self._need_styles(), next(self.parameters())
        network = in_eval_mode(self.part(SYNTHESIS))
        w = normal(0, shape.layers, shape.dim)[None]
        with exact_inference(parameter.device):
            styles = torch.from_numpy(w).to(parameter.device, parameter.dtype)
            maps = find_style_maps(network, styles)
        return {
            layer: [matrix.float().cpu().numpy() for matrix in matrices]
            for layer, matrices in maps.items()
        }

    def without_noise(self) -> TorchGenerator:
        """Return a copy that adds no noise; see `Generator.without_noise`."""
        duplicate = copy.deepcopy(self)
        strengths = [
            tensor
            for name, tensor in duplicate.state_dict().items()
            if name.rpartition(".")[2] == NOISE_STRENGTH
        ]
        if not strengths:
            raise SampleError(
                f"{self.spec.name!r} has no noise: no layer has a parameter {NOISE_STRENGTH!r}. "
                "Use a StyleGAN2, such as stylegan2-mnist."
            )
        for tensor in strengths:
            tensor.zero_()
        return duplicate


class TorchMapping(TorchModel):
    """The first part of a generator with styles: ``forward(z)`` or ``forward(z, y)`` -> w."""

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return w (n, dim)."""
        w: Tensor = self.network.mapping(*inputs)  # type: ignore[operator]
        return w


class TorchSynthesis(TorchModel):
    """The second part: ``forward(styles)``, one w per layer -> images."""

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return images for styles (n, layers, dim)."""
        images: Tensor = self.network.synthesize(*inputs)  # type: ignore[operator]
        return images


class TorchFirstLayer(TorchModel):
    """The first linear layer or convolution that reads z: ``forward(z)`` or ``forward(z, y)``."""

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return its features, (n, ...)."""
        features = run_first_layer(self.network, inputs)
        if features is None or len(features) != len(inputs[0]):
            raise SampleError(
                f"{self.spec.name!r} has no linear layer or convolution that reads z."
            )
        return features


class TorchTranslator(TorchModel, Translator):
    """A translator: ``forward(condition)`` or ``forward(condition, z)`` -> images."""


class TorchEncoder(TorchModel, Encoder):
    """An encoder: ``forward(images)`` -> latents."""

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return the mean of each image's latents."""
        mean: Tensor = self.network(*inputs)[0]
        return mean


def find_device(device: str) -> torch.device:
    """Return torch's device for a name, see `gpu_number`.

    Raises:
        DeviceError: the device is unknown or not available.
    """
    number = gpu_number(device)
    if number is None:
        return torch.device("cpu")
    if number < torch.cuda.device_count():
        return torch.device("cuda", number)
    reason = f"torch {torch.__version__} finds {torch.cuda.device_count()} NVIDIA GPUs"
    if device != "auto":
        raise DeviceError(f"device {device!r} is not available: {reason}. Use device='cpu'.")
    warnings.warn(f"computing on the CPU: {reason}", stacklevel=3)
    return torch.device("cpu")


@torch_defaults()
def load_torch(bundle: Bundle, role: str = "generator") -> TorchModel:
    """Build one of a bundle's networks and load its weights.

    The network is built on the meta device and compared with the file's header before any memory is
    allocated, so that a config with absurd sizes is rejected.

    Raises:
        BundleError: the weights are not safetensors, are damaged, do not fit the config by shape or
            dtype, or are not finite.
        MissingPluginError: the architecture's plugin is not installed or is switched off.
        BrokenPluginError: the plugin is installed but cannot be loaded.
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
            f"architecture {bundle.spec.architecture!r} has a buffer that its state_dict lacks, so "
            "it cannot be loaded. Report this to the plugin's author: every buffer must be "
            "persistent."
        )
    warn_of_versions(bundle, entry)
    return wrap(bundle.spec, network.requires_grad_(False), role)


@torch_defaults()
def rebuild(
    model: TorchModel, bundle: Bundle, arguments: Mapping[str, Any], role: str = "generator"
) -> TorchModel:
    """Build a model's architecture with other arguments and load the model's weights into it.

    Args:
        model: the model, which stays unchanged.
        bundle: the bundle that it was loaded from.
        arguments: the arguments that differ.
        role: the network's role.

    Raises:
        RecipeError: an argument is unknown to the architecture or has the wrong type.
        ExportError: the network cannot be built, or its weights or inputs differ.
    """
    spec = model.spec
    entry = find_architecture(bundle, role)
    factory = architectures.load(entry)
    changed = check("architecture", spec.architecture, factory, arguments)
    spec = replace(spec, arguments=spec.arguments | changed, styles=None)  # `wrap` adds them
    changes = ", ".join(f"{name} {value}" for name, value in changed.items())
    weights = model.network.state_dict()
    try:
        network = build(spec, role, entry)
    except BundleError as error:
        raise ExportError(
            f"{spec.name!r} cannot have {changes} after training: {error.__cause__ or error} "
            "Choose other arguments."
        ) from error
    if _shapes(network.state_dict()) != _shapes(weights):
        raise ExportError(
            f"{spec.name!r} cannot have {changes} after training: the weights would have other "
            "shapes. Train the model with these arguments, or choose arguments that keep the "
            "shapes."
        )
    network.load_state_dict(weights, strict=True, assign=True)
    return wrap(spec, network.requires_grad_(False), role)


def wrap(spec: ModelSpec, network: nn.Module, role: str = "generator") -> TorchModel:
    """Wrap a network in the class for its role; a generator's config gets its styles."""
    kind: type[TorchModel] = TorchGenerator
    if role == "encoder":
        kind = TorchEncoder
    elif "condition" in spec.inputs:
        kind = TorchTranslator
    elif role == "generator":
        spec = replace(spec, styles=style_spec_of(network))
    return kind(spec, network).eval()


def _shapes(tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def _check_shapes(
    weights: Path,
    header: Mapping[str, tuple[int, ...]],
    expected: Mapping[str, Tensor],
    versions: str,
) -> None:
    shapes = _shapes(expected)
    if header == shapes:
        return
    name = min(dict(set(header.items()) ^ set(shapes.items())))
    raise BundleError(
        f"{weights} does not fit config.json: tensor {name!r} has shape "
        f"{header.get(name, 'none')} in the file and {shapes.get(name, 'none')} in the network."
        f"{versions or ' Get the bundle again.'}"
    )
