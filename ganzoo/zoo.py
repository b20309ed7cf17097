"""Find models by name: load a model, list the models, read a model's config."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, overload

from ganzoo.bundle import Bundle, open_bundle
from ganzoo.bundle.folder import explain_file
from ganzoo.bundle.location import locate_bundle
from ganzoo.errors import (
    BundleError,
    DeviceError,
    MissingExtraError,
    NameSyntaxError,
    NotABundleError,
    UnknownNameError,
    did_you_mean,
    enumerate_names,
    install_extra,
)
from ganzoo.registry import REGISTRIES, models, recipes
from ganzoo.registry.names import HubModel, HubName, parse_model_name, suggest_hub_name
from ganzoo.sampling.generator import Generator
from ganzoo.sampling.translation import Encoder
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
    """Load a trained model.

    Warns if the installed plugin's major version (below 1.0: its minor version) differs from the
    one that trained the model (torch runtime only).

    Args:
        name: a registered name, the folder of a bundle or run (``./folder``), or
            ``hf://org/repo[@revision]``.
        role: the network to load: ``generator``, or another network of the bundle, such as
            ``encoder``.
        runtime: ``torch`` loads an `nn.Module`; ``onnx`` uses onnxruntime and imports no torch. The
            default is torch if it is installed, else onnx.
        device: ``cpu``; ``cuda`` or ``cuda:N`` for an NVIDIA GPU; ``auto``, which uses CUDA if it
            is available and otherwise warns and uses the CPU.
        threads: number of CPU threads of onnxruntime. The default is OMP_NUM_THREADS, else one for
            each core. For torch, call ``torch.set_num_threads``: torch has one setting for the
            whole process.

    Returns:
        A `Generator` with ``sample``; a `Translator` with ``translate`` for image-to-image models;
        or an `Encoder` with ``encode`` for the role ``encoder``.

    Raises:
        UnknownNameError: no model has this name.
        NotABundleError, RunNotFoundError: the folder contains no bundle.
        BundleError: the bundle is damaged, has no such role, or the installed plugin builds a
            different architecture than the one that was trained.
        MissingPluginError, BrokenPluginError: the plugin that provides the architecture is not
            installed or cannot be loaded (torch runtime only).
        MissingExtraError: torch is not installed (torch runtime only).
        DeviceError: the device is unknown or unavailable; `threads` is below 1 or used with torch.
        NameSyntaxError, AmbiguousNameError: the name is not valid, or several plugins register it.
        HubError: the model cannot be downloaded.

    Example:
        >>> import ganzoo
        >>> generator = ganzoo.load("dcgan-mnist")
        >>> generator.sample(64, seed=0).save("digits.png")
        >>> encoder = ganzoo.load("vae2d-mnist", role="encoder", runtime="onnx")
    """
    if runtime not in (None, "torch", "onnx"):
        raise ValueError(f"unknown runtime {runtime!r}. Use 'torch' or 'onnx'.")
    bundle = find(name)
    if role not in bundle.spec.roles:
        raise BundleError(
            f"model {bundle.spec.name!r} has no role {role!r}."
            f"{did_you_mean(role, bundle.spec.roles)} "
            f"Use one of its roles: {enumerate_names(bundle.spec.roles)}."
        )
    has_torch = find_spec("torch") is not None
    if runtime == "torch" and not has_torch:
        raise MissingExtraError(
            "the torch runtime needs torch, which is not installed. "
            f"{install_extra('train')} Or use runtime='onnx'."
        )
    if runtime == "onnx" or not has_torch:
        from ganzoo.runtimes.onnx import load_onnx

        return load_onnx(bundle, role, device=device, threads=threads)
    from ganzoo.runtimes.torch import find_device, load_torch

    if threads is not None:
        raise DeviceError(
            f"cannot load one model with threads={threads}: torch has one setting for the whole "
            f"process. Call torch.set_num_threads({threads}), or use runtime='onnx'."
        )
    return load_torch(bundle, role).to(find_device(device))


def list_models(pattern: str = "*") -> list[str]:
    """Return the names of the registered models.

    Reads the metadata of installed packages only. No plugin code runs.

    Args:
        pattern: a wildcard that the names match, such as ``dcgan-*``.
    """
    return models.names(pattern)


def info(name: str | Path) -> ModelSpec:
    """Return a model's config: its architecture, sizes and provenance.

    Args:
        name: as for `load`.

    Raises:
        UnknownNameError, NotABundleError, RunNotFoundError: there is no such model.
        BundleError: the bundle is damaged.
        NameSyntaxError, AmbiguousNameError: the name is not valid, or several plugins register it.
        HubError: the model cannot be downloaded.
    """
    return find(name).spec


def find(name: str | Path) -> Bundle:
    """Return the bundle of a model.

    Args:
        name: as for `load`.

    Raises:
        UnknownNameError, NotABundleError, RunNotFoundError: there is no such model.
        BundleError: the bundle is damaged.
        NameSyntaxError, AmbiguousNameError: the name is not valid, or several plugins register it.
        HubError: the model cannot be downloaded.
    """
    try:
        parsed = parse_model_name(name)
    except NameSyntaxError as error:
        if isinstance(name, str) and Path(name).is_file():
            raise NameSyntaxError(f"{name!r}: {explain_file(name)}") from error
        raise
    if isinstance(parsed, Path):
        return _open(parsed, str(name))
    if isinstance(parsed, HubName):
        return _pull(parsed)
    try:
        entry = models.entry(str(parsed))
        location = models.load(entry)
    except UnknownNameError as error:
        raise UnknownNameError(f"{error}{_hint(parsed.name)}") from None
    try:
        bundle = _pull(location) if isinstance(location, HubModel) else open_bundle(location)
    except NotABundleError as error:
        raise NotABundleError(
            f"{entry.provider} registers the model {entry.name!r}, but {location} contains no "
            f"bundle. Reinstall {entry.distribution or 'the plugin that registers it'}."
        ) from error
    return replace(bundle, distribution=entry.distribution)


def _open(path: Path, name: str) -> Bundle:
    try:
        return open_bundle(locate_bundle(path))
    except NotABundleError as error:
        if path.parent.is_dir() or not (hub_name := suggest_hub_name(name)):
            raise
        raise NotABundleError(f"{error} For the model on the Hub, use {hub_name}.") from error


def _pull(location: HubName | HubModel) -> Bundle:
    from ganzoo.hub import pull  # the hub client imports slower than a shipped model loads

    return pull(location)


def _hint(name: str) -> str:
    """Return advice for a name that is a folder or belongs to another registry."""
    if Path(name).is_dir():
        return f" To load the folder of that name, use ./{name}."
    if Path(name).is_file():
        return f" For {name!r}, {explain_file(name)}"
    if name in recipes:
        return f" {name!r} is a registered recipe. To get a model, run: ganzoo train {name}"
    kinds = [registry.kind for registry in REGISTRIES if name in registry]
    return f" {name!r} is a registered {kinds[0]}, not a model." if kinds else ""
