"""Where a model comes from, as its config records it."""

from __future__ import annotations

import contextlib
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from ganzoo.registry import architectures, datasets, losses
from ganzoo.spec import Recipe


def describe_hardware(device: torch.device) -> str:
    """Name the processor that trained."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{_cpu_name()}, {torch.get_num_threads()} threads"


def describe_versions() -> dict[str, str]:
    """Versions of what a result depends on."""
    versions = {"python": platform.python_version()}
    for name in ("torch-ganzoo", "torch", "torchvision", "numpy"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(name)
    return versions


def describe_plugins(recipe: Recipe) -> dict[str, str]:
    """The distribution behind each of the recipe's components."""
    plugins = {}
    for registry in (architectures, losses, datasets):
        entry = registry.entry(getattr(recipe, registry.kind).name)
        source = f"{entry.distribution} {entry.version}" if entry.distribution else entry.target
        plugins[registry.kind] = source
    return plugins


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{names[0]} ({platform.machine()})" if names else platform.machine()


def describe(
    recipe: Recipe,
    images_seen: int,
    seconds: float,
    device: torch.device,
    processes: int,
    data: dict[str, Any],
) -> dict[str, Any]:
    """Return the provenance of a model that this process trains."""
    return {
        "recipe": recipe.to_dict(),
        "seed": recipe.seed,
        "images_seen": images_seen,
        "seconds": round(seconds, 1),
        "hardware": f"{processes} processes, each on " * (processes > 1)
        + describe_hardware(device),
        "data": data,
        "plugins": describe_plugins(recipe),
        "versions": describe_versions(),
    }
