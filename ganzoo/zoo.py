"""The front door: load a model, list what there is, look one up."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, overload

from ganzoo.bundle import Bundle, open_bundle
from ganzoo.errors import (
    BundleError,
    DeviceError,
    MissingExtraError,
    NotABundleError,
    UnknownNameError,
    did_you_mean,
    enumerate_names,
)
from ganzoo.registry import REGISTRIES, models
from ganzoo.registry.names import HubModel, HubName, parse_model_name
from ganzoo.sampling.generator import Encoder, Generator
from ganzoo.spec import ModelSpec


@overload
def load(
    name: str | Path,
    *,
    role: Literal["encoder"],
    runtime: Literal["torch", "onnx"] | None = None,
    device: str = "cpu",
    threads: int | None = None,
) -> Encoder: ...


@overload
def load(
    name: str | Path,
    *,
    role: Literal["generator"] = "generator",
    runtime: Literal["torch", "onnx"] | None = None,
    device: str = "cpu",
    threads: int | None = None,
) -> Generator: ...


@overload
def load(
    name: str | Path,
    *,
    role: str,
    runtime: Literal["torch", "onnx"] | None = None,
    device: str = "cpu",
    threads: int | None = None,
) -> Any: ...


def load(
    name: str | Path,
    *,
    role: str = "generator",
    runtime: Literal["torch", "onnx"] | None = None,
    device: str = "cpu",
    threads: int | None = None,
) -> Any:
    """Load one of a model's networks.

    It is warned of where the torch runtime builds it by a plugin that is a major version (below
    1.0 a minor one) away from the one that trained it.

    Args:
        name: a model's registered name, a bundle's folder (``./folder``) or
            ``hf://org/repo[@revision]``.
        role: ``generator``, or another network that the bundle holds, such as ``encoder``.
        runtime: ``torch`` gives an `nn.Module`, ``onnx`` runs under onnxruntime and imports no
            torch. By default torch where it is installed.
        device: ``cpu``; ``cuda`` or ``cuda:N``, where an NVIDIA GPU must be; ``auto``, which is
            ``cuda`` where one is and else says in one warning why it is not.
        threads: that onnxruntime may use on the CPU; by default OMP_NUM_THREADS, else one for each
            core. Torch's are the whole process's: ``torch.set_num_threads``.

    Returns:
        A `Generator` with ``sample``, a `Translator` with ``translate`` where the model makes
        images out of images, or an `Encoder` with ``encode``.

    Raises:
        BundleError: also where the model has no such role.
        UnknownNameError, NotABundleError, BundleError: no such model, or a damaged one; an
            architecture that another version of its plugin builds otherwise.
        MissingPluginError, BrokenPluginError: its architecture is not to be had (torch alone).
        MissingExtraError: the torch runtime without torch.
        DeviceError: no such device, or it is not there; threads below 1, or with torch.
        HubError, NameSyntaxError, AmbiguousNameError: a name that cannot be followed.
    """
    if runtime not in (None, "torch", "onnx"):
        raise ValueError(f"runtime is 'torch' or 'onnx', not {runtime!r}")
    bundle = find(name)
    if role not in bundle.spec.roles:
        raise BundleError(
            f"{bundle.spec.name!r} has no role {role!r}.{did_you_mean(role, bundle.spec.roles)} "
            f"Its roles: {enumerate_names(bundle.spec.roles)}."
        )
    has_torch = find_spec("torch") is not None
    if runtime == "torch" and not has_torch:
        raise MissingExtraError(
            "the torch runtime needs torch, which is not installed. "
            "pip install 'torch-ganzoo[train]', or use runtime='onnx'."
        )
    if runtime == "onnx" or not has_torch:
        from ganzoo.runtimes.onnx import load_onnx

        return load_onnx(bundle, role, device=device, threads=threads)
    from ganzoo.runtimes.torch import find_device, load_torch

    if threads is not None:
        raise DeviceError(
            "torch's threads are the whole process's, not a model's: "
            f"torch.set_num_threads({threads}), or use runtime='onnx'."
        )
    return load_torch(bundle, role).to(find_device(device))


def list_models(pattern: str = "*") -> list[str]:
    """Return the names of the models that can be loaded, by wildcard such as ``dcgan-*``.

    Reads installed packages' metadata only and runs no plugin's code.
    """
    return models.names(pattern)


def info(name: str | Path) -> ModelSpec:
    """Return a model's config: architecture, sizes, provenance.

    Raises:
        UnknownNameError, NotABundleError, BundleError: no such model, or a damaged one.
    """
    return find(name).spec


def find(name: str | Path) -> Bundle:
    """Return the bundle that a model's name means.

    Raises:
        UnknownNameError, NotABundleError, BundleError: no such model, or a damaged one.
        HubError, NameSyntaxError, AmbiguousNameError: a name that cannot be followed.
    """
    parsed = parse_model_name(name)
    if isinstance(parsed, Path):
        return open_bundle(parsed)
    if isinstance(parsed, HubName):
        return _pull(parsed)
    try:
        entry = models.entry(str(parsed))
        place = models.load(entry)
    except UnknownNameError as error:
        raise UnknownNameError(f"{error}{_hint(parsed.name)}") from None
    try:
        found = _pull(place) if isinstance(place, HubModel) else open_bundle(place)
    except NotABundleError as error:
        raise NotABundleError(
            f"{entry.provider} registers the model {entry.name!r}, and there is none at {place}. "
            f"Install {entry.distribution or 'what registers it'} anew."
        ) from error
    return replace(found, distribution=entry.distribution)


def _pull(place: HubName | HubModel) -> Bundle:
    from ganzoo.hub import pull  # its client takes longer to import than a shipped model to load

    return pull(place)


def _hint(name: str) -> str:
    """What else an unknown model name may mean."""
    if Path(name).is_dir():
        return f" The folder of that name is ./{name}."
    kinds = [registry.kind for registry in REGISTRIES if name in registry]
    return (
        f" {name!r} names a registered {kinds[0]}; a model is what training it gives."
        if kinds
        else ""
    )
