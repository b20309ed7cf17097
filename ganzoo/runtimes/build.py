"""Build a bundle's network with the plugin that registers its architecture.

A bundle stores every argument of its architecture, so that a plugin may change its defaults. Errors
name the plugin's version if it differs from the one that trained the model.
"""

from __future__ import annotations

import itertools
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ganzoo.bundle import Bundle, onnx_name
from ganzoo.errors import (
    ArchitectureError,
    BrokenPluginError,
    BundleError,
    MissingPluginError,
    UnknownNameError,
    describe,
)
from ganzoo.nn import inputs_of, sizes_of, style_spec_of
from ganzoo.nn.uninitialised import Uninitialised
from ganzoo.registry import architectures, distributions
from ganzoo.registry.distributions import may_be_incompatible
from ganzoo.registry.entries import Entry
from ganzoo.registry.own_plugins import install_command
from ganzoo.registry.signatures import bind
from ganzoo.spec import ModelSpec

MAX_PARAMETERS = 20_000  # tensors of weights in all networks of an architecture

# nn.Module reads this attribute of each new parameter.
_REGISTRATION = Tensor.grad_fn.__get__  # type: ignore[union-attr]


def find_architecture(bundle: Bundle, role: str) -> Entry:
    """Return the registry's entry for a bundle's architecture, from the plugin that trained it.

    Raises:
        MissingPluginError: the plugin is not installed, is switched off, or no longer registers
            the architecture.
        BrokenPluginError: the plugin is installed but cannot be loaded.
    """
    spec = bundle.spec
    distribution = _distribution(spec)
    address = f"{distribution}:{spec.architecture}" if distribution else spec.architecture
    alternative = ""
    if bundle.holds(onnx_name(role)):  # does not download the file
        alternative = " Or run the model without the plugin: runtime='onnx'."
    try:
        entry = architectures.entry(address)
        architectures.load(entry)
    except (UnknownNameError, MissingPluginError) as error:
        raise MissingPluginError(
            f"{spec.name!r} needs the architecture {spec.architecture!r}"
            f"{_explain_absence(spec, distribution)}.{alternative}"
        ) from error
    except BrokenPluginError as error:
        raise BrokenPluginError(f"{error}{alternative}") from error
    return entry


def build(spec: ModelSpec, role: str, entry: Entry) -> nn.Module:
    """Build a network on the meta device, which allocates no memory for its weights.

    Raises:
        BundleError: the architecture cannot be built with the config's arguments, does not match
            the config, or has too many layers.
    """
    factory, name = architectures.load(entry), spec.architecture
    try:
        arguments = bind("architecture", name, factory, spec.arguments)
        with torch.device("meta"), Uninitialised(), _Limited():
            nets = architectures.make(entry, spec.data, **arguments)
    except (ValueError, BrokenPluginError) as error:
        # Invalid arguments in a bundle's config are not the fault of the plugin's author.
        cause = error.__cause__ if isinstance(error, BrokenPluginError) else None
        reason = describe(cause) if cause else str(error)
        raise BundleError(
            f"architecture {name!r} cannot be built with the arguments in config.json: "
            f"{' '.join(reason.split())[:600]}{explain_versions(spec, entry)}"
        ) from error
    network = nets.get(role) if isinstance(nets, Mapping) else None
    if not isinstance(network, nn.Module):
        raise BundleError(
            f"architecture {name!r} builds no {role}, but config.json lists one. "
            f"Get the bundle again.{explain_versions(spec, entry)}"
        )
    dim = spec.latent.dim if spec.latent else None
    network_dim = arguments.get("latent_dim", getattr(network, "latent_dim", dim))
    if role == "generator" and dim is not None and network_dim != dim:
        raise BundleError(
            f"config.json has latents of {dim} numbers, but architecture {name!r} builds a "
            f"generator that reads {network_dim}. Get the bundle again."
            f"{explain_versions(spec, entry)}"
        )
    if role == "generator" and inputs_of(network) != spec.inputs:
        raise BundleError(
            f"config.json has a generator that reads {spec.inputs}, but architecture {name!r} "
            f"builds one that reads {inputs_of(network)}. Get the bundle again."
            f"{explain_versions(spec, entry)}"
        )
    if role == "generator" and spec.styles and style_spec_of(network) != spec.styles:
        raise BundleError(
            f"config.json has {spec.styles}, but architecture {name!r} builds a generator with "
            f"{style_spec_of(network) or 'no styles'}. Get the bundle again."
            f"{explain_versions(spec, entry)}"
        )
    if role == "generator" and spec.sizes and spec.sizes.of_network != sizes_of(network):
        raise BundleError(
            f"config.json has a generator that reads images of {spec.sizes.of_network}, but "
            f"architecture {name!r} builds one that reads {sizes_of(network) or 'one size'}. Get "
            f"the bundle again.{explain_versions(spec, entry)}"
        )
    return network


class _Limited(TorchFunctionMode):
    """Raises an error in an architecture that creates more than `MAX_PARAMETERS` tensors.

    A mode applies to one thread. A registration hook of torch would apply to all, and adding it
    breaks other threads that build networks at the moment.
    """

    def __init__(self) -> None:
        super().__init__()
        self._counter = itertools.count(1)

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run a function, and count the calls of the one that registers a tensor."""
        if func == _REGISTRATION and next(self._counter) > MAX_PARAMETERS:
            raise ArchitectureError(f"it has more than {MAX_PARAMETERS:,} tensors of weights")
        return func(*args, **(kwargs or {}))


def explain_versions(spec: ModelSpec, entry: Entry) -> str:
    """Return a sentence on the plugin's versions if they differ, else an empty string."""
    trained = _trained_with(spec, entry)
    return f" {_compare(spec, trained, entry)}." if trained not in (None, entry.version) else ""


def warn_of_versions(bundle: Bundle, entry: Entry) -> None:
    """Warn if the plugin's major version differs from the one that trained the model.

    A bundle from the same package as its architecture gives no warning: its author tests both.
    """
    trained = _trained_with(bundle.spec, entry)
    same_package = bundle.distribution == entry.distribution
    if trained and not same_package and may_be_incompatible(trained, entry.version or ""):
        warnings.warn(_compare(bundle.spec, trained, entry), stacklevel=5)


def _compare(spec: ModelSpec, trained: str | None, entry: Entry) -> str:
    return (
        f"{spec.name!r} was trained with {entry.distribution} {trained}. The installed version, "
        f"{entry.version}, may build another network: pip install "
        f"'{entry.distribution}=={trained}'"
    )


def _trained_with(spec: ModelSpec, entry: Entry) -> str | None:
    name, version = spec.provider_of("architecture") or (None, None)
    return version if name == entry.distribution else None


def _distribution(spec: ModelSpec) -> str | None:
    """Return the name of the distribution that registers the architecture, from the config."""
    match = re.match(r"[A-Za-z0-9._-]+", spec.requires[0]) if spec.requires else None
    return match[0] if match else None


def _explain_absence(spec: ModelSpec, distribution: str | None) -> str:
    """Return why an architecture is not available and what to type, to follow its name."""
    if distribution is None:
        remedy = (
            "The program that trained the model registered it: import that program first, on the "
            "command line with --import FILE.py"
        )
        return f", which is not installed. {remedy}"
    owner = distributions.find(distribution)
    if owner is None:
        command = install_command(distributions.normalise(distribution), *spec.requires)
        return f", which is not installed. It needs {', '.join(spec.requires)}: {command}"
    if not owner.admitted:
        return f", and {owner.say_switched_off()}"
    name, version = spec.provider_of("architecture") or (owner.name, "")
    remedy = f". The model was trained with {name} {version}: pip install '{name}=={version}'"
    return f", which {owner} does not register{remedy if version else ''}"
