"""Recipes and models that a distribution registers, and their checks."""

from __future__ import annotations

from pathlib import Path

from ganzoo.bundle import open_bundle
from ganzoo.errors import ConformanceError
from ganzoo.registry import find_recipe, models, recipes
from ganzoo.testing import registration
from ganzoo.testing.checked_plugin import CheckedPlugin
from ganzoo.testing.imports import imports_quietly
from ganzoo.training.build import build_loss, complete
from ganzoo.zoo import load


def is_complete(subject: Recipe) -> None:
    """Its components are installed, and have the arguments that it gives them."""
    thing = subject.thing
    recipe = find_recipe(thing) if isinstance(thing, Path) else thing
    build_loss(complete(recipe))
    if recipe.name != subject.name:
        raise ConformanceError(
            f"{subject.label} makes models called {recipe.name!r}: name its file as it is "
            "registered, or state no name in it."
        )


def is_whole(subject: Model) -> None:
    """Its bundle is whole, and its networks can be run."""
    bundle = open_bundle(subject.thing)
    for role in bundle.spec.roles:
        load(bundle.path, role=role)


class Recipe(CheckedPlugin):
    """A recipe."""

    registry = recipes
    checks = (registration.loads, registration.is_named_alike, imports_quietly, is_complete)


class Model(CheckedPlugin):
    """A model that ships inside a distribution."""

    registry = models
    checks = (registration.loads, registration.is_named_alike, imports_quietly, is_whole)
