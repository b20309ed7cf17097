"""Where a model comes from, as its config records it."""

from __future__ import annotations

from typing import Any

import torch

from ganzoo.machine import describe_hardware, describe_versions
from ganzoo.registry import architectures, datasets, losses
from ganzoo.spec import Recipe


def describe_plugins(recipe: Recipe) -> dict[str, str]:
    """The distribution behind each of the recipe's components."""
    plugins = {}
    for registry in (architectures, losses, datasets):
        entry = registry.entry(getattr(recipe, registry.kind).name)
        source = f"{entry.distribution} {entry.version}" if entry.distribution else entry.target
        plugins[registry.kind] = source
    return plugins


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
