"""A bundle's config -> its network, by the plugin that registers the architecture.

A bundle states all arguments of its architecture, so that a plugin may change its defaults. Where
another version of the plugin builds something else all the same, the versions are named.
"""

from __future__ import annotations

import contextlib
import itertools
import re
import threading
import warnings
from collections.abc import Iterator, Mapping

import torch
from torch import nn
from torch.nn.modules.module import register_module_parameter_registration_hook

from ganzoo.bundle import Bundle, onnx_name
from ganzoo.errors import (
    ArchitectureError,
    BrokenPluginError,
    BundleError,
    MissingPluginError,
    UnknownNameError,
    describe,
)
from ganzoo.nn import inputs_of
from ganzoo.registry import architectures, distributions
from ganzoo.registry.distributions import breaks_promises
from ganzoo.registry.entries import Entry
from ganzoo.registry.signatures import bind
from ganzoo.runtimes.uninitialised import Uninitialised
from ganzoo.spec import ModelSpec

MAX_PARAMETERS = 20_000  # tensors of weights in all networks of an architecture


def find_architecture(bundle: Bundle, role: str) -> Entry:
    """Find what registers a bundle's architecture: the distribution that trained it, no other.

    Raises:
        MissingPluginError: it is not installed, is switched off, or registers it no longer.
        BrokenPluginError: it is installed but cannot be loaded.
    """
    spec = bundle.spec
    distribution = _distribution(spec)
    address = f"{distribution}:{spec.architecture}" if distribution else spec.architecture
    elsewhere = ""
    if bundle.holds(onnx_name(role)):  # which need not be downloaded for that
        elsewhere = " Or run it without the architecture: runtime='onnx'."
    try:
        entry = architectures.entry(address)
        architectures.load(entry)
    except (UnknownNameError, MissingPluginError) as error:
        raise MissingPluginError(
            f"{spec.name!r} is built by the architecture {spec.architecture!r}"
            f"{_absence(spec, distribution)}.{elsewhere}"
        ) from error
    except BrokenPluginError as error:
        raise BrokenPluginError(f"{error}{elsewhere}") from error
    return entry


def build(spec: ModelSpec, role: str, entry: Entry) -> nn.Module:
    """Build a network on the meta device, where it takes no memory but for its layers.

    Raises:
        BundleError: the architecture cannot be built as the config says, or has too many layers.
    """
    factory, name = architectures.load(entry), spec.architecture
    try:
        arguments = bind("architecture", name, factory, spec.arguments)
        with torch.device("meta"), Uninitialised(), _limited():
            nets = architectures.make(entry, spec.data, **arguments)
    except (ValueError, BrokenPluginError) as error:
        # What a plugin does not foresee is no fault of its author's where a stranger asks for it.
        cause = error.__cause__ if isinstance(error, BrokenPluginError) else None
        reason = describe(cause) if cause else str(error)
        raise BundleError(
            f"architecture {name!r} cannot be built as config.json asks: "
            f"{' '.join(reason.split())[:600]}{explain_versions(spec, entry)}"
        ) from error
    network = nets.get(role) if isinstance(nets, Mapping) else None
    if not isinstance(network, nn.Module):
        raise BundleError(f"architecture {name!r} builds no network as {role}.")
    dim = spec.latent.dim if spec.latent else None
    stated = arguments.get("latent_dim", getattr(network, "latent_dim", dim))
    if role == "generator" and dim is not None and stated != dim:
        raise BundleError(
            f"config.json says that latents have {dim} numbers, architecture {name!r} "
            f"builds a generator that reads {stated}.{explain_versions(spec, entry)}"
        )
    if role == "generator" and inputs_of(network) != spec.inputs:
        raise BundleError(
            f"config.json says that the generator reads {spec.inputs}, architecture "
            f"{name!r} builds one that reads {inputs_of(network)}.{explain_versions(spec, entry)}"
        )
    return network


@contextlib.contextmanager
def _limited() -> Iterator[None]:
    """Stop an architecture that was asked for more layers than any network has."""
    made, thread = itertools.count(1), threading.get_ident()

    def count(_module: nn.Module, _name: str, _parameter: nn.Parameter | None) -> None:
        if threading.get_ident() == thread and next(made) > MAX_PARAMETERS:
            raise ArchitectureError(f"that takes more than {MAX_PARAMETERS:,} tensors of weights")

    hook = register_module_parameter_registration_hook(count)
    try:
        yield
    finally:
        hook.remove()


def explain_versions(spec: ModelSpec, entry: Entry) -> str:
    """Name the version of the plugin that trained a model, where another is installed."""
    trained = _trained_with(spec, entry)
    return f" {_compare(spec, trained, entry)}." if trained not in (None, entry.version) else ""


def warn_of_versions(bundle: Bundle, entry: Entry) -> None:
    """Warn where the plugin promises no more to build what it built when the model was trained.

    A bundle that ships with its architecture is not warned of: its author answers for both.
    """
    trained = _trained_with(bundle.spec, entry)
    ships_with_it = bundle.distribution == entry.distribution
    if trained and not ships_with_it and breaks_promises(trained, entry.version or ""):
        warnings.warn(_compare(bundle.spec, trained, entry), stacklevel=4)


def _compare(spec: ModelSpec, trained: str | None, entry: Entry) -> str:
    return (
        f"{spec.name!r} was trained with {entry.distribution} {trained}, {entry.version} is "
        f"installed and may build another network: pip install '{entry.distribution}=={trained}'"
    )


def _trained_with(spec: ModelSpec, entry: Entry) -> str | None:
    name, version = spec.made_by("architecture") or (None, None)
    return version if name == entry.distribution else None


def _distribution(spec: ModelSpec) -> str | None:
    """Name of the distribution that a config says registers the architecture."""
    match = re.match(r"[A-Za-z0-9._-]+", spec.requires[0]) if spec.requires else None
    return match[0] if match else None


def _absence(spec: ModelSpec, distribution: str | None) -> str:
    """Say, after its name, why an architecture is not to be had, and what to type."""
    if distribution is None:
        remedy = "It was registered in the program that trained it: import that first"
        return f", which is not installed. {remedy}"
    owner = distributions.find(distribution)
    if owner is None:
        wanted = f"pip install {' '.join(map(repr, spec.requires))}"
        return f", which is not installed. It needs {', '.join(spec.requires)}: {wanted}"
    if not owner.admitted:
        return f", and {owner.say_switched_off()}"
    name, version = spec.made_by("architecture") or (owner.name, "")
    remedy = f", {name} {version} that trained it did: pip install '{name}=={version}'"
    return f", which {owner} does not register{remedy if version else ''}"
