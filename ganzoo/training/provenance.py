"""The provenance of a model: its recipe, data, plugins, versions and hardware."""

from __future__ import annotations

import contextlib
from typing import Any

import torch

from ganzoo.errors import GanzooError
from ganzoo.games.factory import AdversarialLossFactory
from ganzoo.games.registered_penalties import find_penalty, own_penalties
from ganzoo.registry import COMPONENTS, find_recipe, losses, recipes
from ganzoo.registry.entries import Entry
from ganzoo.spec import Recipe
from ganzoo.system.machine import describe_hardware, describe_versions


def find_entries(recipe: Recipe) -> dict[str, Entry]:
    """Return the registrations of a recipe's components, and of the recipe itself.

    The recipe counts as registered if a registered recipe of its name has the same components;
    their arguments and the numbers of the recipe may differ.
    """
    entries = _components(recipe)
    for entry in recipes.entries(recipe.name):
        with contextlib.suppress(GanzooError):  # a broken plugin, which is not needed here
            if _components(find_recipe(entry.address)) == entries:
                return entries | {"recipe": entry}
    return entries


def _components(recipe: Recipe) -> dict[str, Entry]:
    return {r.kind: r.entry(getattr(recipe, r.kind).name) for r in COMPONENTS}


def _penalties(recipe: Recipe) -> dict[str, Entry]:
    """Return the penalties from plugins that a recipe's loss uses."""
    factory = losses.get(recipe.loss.name)
    if not isinstance(factory, AdversarialLossFactory):
        return {}
    weights = factory.weights_of(recipe.loss.arguments)
    used = {name for name, weight in weights.items() if weight} - set(own_penalties())
    return {f"penalty {name}": find_penalty(name) for name in sorted(used)}


def describe(
    recipe: Recipe,
    images_seen: int,
    seconds: float,
    device: torch.device,
    processes: int,
    data: dict[str, Any],
) -> dict[str, Any]:
    """Return the provenance of a model that this process trains."""
    entries = find_entries(recipe) | _penalties(recipe)
    distributions = sorted({e.distribution for e in entries.values() if e.distribution})
    return {
        "recipe": recipe.to_dict(),
        "seed": recipe.seed,
        "images_seen": images_seen,
        "seconds": round(seconds, 1),
        "hardware": f"{processes} processes, each on " * (processes > 1)
        + describe_hardware(device),
        "data": data,
        "plugins": {
            kind: entry.provider if entry.distribution else entry.target
            for kind, entry in entries.items()
        },
        "versions": describe_versions(*distributions),
    }
