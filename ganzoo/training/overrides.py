"""Replace fields of a recipe by name, as the options of the command line do."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from ganzoo.errors import RecipeError, did_you_mean, enumerate_names
from ganzoo.registry import COMPONENTS
from ganzoo.registry.names import parse_registered
from ganzoo.registry.signatures import arguments_of
from ganzoo.spec import Recipe

# Datasets of the user's own images. A recipe's name says nothing of the type of their files.
_OWN_IMAGES = frozenset({"folder", "zip", "webdataset", "parquet"})
_KINDS = tuple(registry.kind for registry in COMPONENTS)


def override(recipe: Recipe, fields: Mapping[str, Any]) -> Recipe:
    """Return a recipe with other values of some fields.

    Args:
        recipe: the recipe.
        fields: values by the names of the fields of `ganzoo.Recipe`. A component is a name, which
            drops the arguments of another component, or a table of arguments, which may have a
            ``name``; other arguments remain. The optimizer is a table of the settings that change.

    Raises:
        RecipeError: a field does not exist, or a value has the wrong type or is out of its range.

    Example:
        >>> override(recipe, {"images": 64, "loss": "hinge", "optimizer": {"lr": 1e-4}})
    """
    table = recipe.to_dict()
    for name, value in fields.items():
        if name not in table:
            raise RecipeError(
                f"a recipe has no field {name!r}.{did_you_mean(name, table)} It has "
                f"{enumerate_names(table)}."
            )
        if name in _KINDS and isinstance(value, str):
            value = {"name": value}
        if isinstance(table[name], dict) and isinstance(value, Mapping):
            is_other = (
                name in _KINDS and value.get("name", table[name]["name"]) != table[name]["name"]
            )
            value = dict(value) if is_other else table[name] | dict(value)
        table[name] = value
    return rename(Recipe.from_dict(table), recipe)


def rename(recipe: Recipe, original: Recipe) -> Recipe:
    """Replace a name or description that does not describe the changed recipe."""
    changes = [
        {getattr(recipe, kind).name, getattr(original, kind).name}
        for kind in _KINDS
        if getattr(recipe, kind).name != getattr(original, kind).name
    ]
    if recipe.name == original.name and any(not names <= _OWN_IMAGES for names in changes):
        names = (getattr(recipe, kind).name for kind in _KINDS)
        name = "-".join(parse_registered(name).name for name in names)
        recipe = dataclasses.replace(recipe, name=name)
    if recipe.description == original.description:
        model, _, _ = original.description.partition(":")  # the training length follows the colon
        if _trains_another_model(recipe, original):
            recipe = dataclasses.replace(recipe, description="")
        elif recipe.images != original.images:
            recipe = dataclasses.replace(recipe, description=model)
    return recipe


def _trains_another_model(recipe: Recipe, original: Recipe) -> bool:
    for registry in COMPONENTS:
        before, now = getattr(original, registry.kind), getattr(recipe, registry.kind)
        if before.name != now.name:
            return True
        factory = registry.get(now.name)
        defaults = {name: a.default for name, a in arguments_of(factory).items()}
        if defaults | before.arguments != defaults | now.arguments:
            return True
    return False
