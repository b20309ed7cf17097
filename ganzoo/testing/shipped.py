"""Recipes and models under test, and their checks."""

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
    """Its components are installed, and accept its arguments."""
    thing = subject.thing
    recipe = find_recipe(thing) if isinstance(thing, Path) else thing
    build_loss(complete(recipe))
    if recipe.name != subject.name:
        raise ConformanceError(
            f"{subject.label} trains models with the name {recipe.name!r}: rename its file to the "
            "registered name, or remove `name` from it."
        )


def is_intact(subject: Model) -> None:
    """Its bundle is complete and undamaged, and its networks load."""
    bundle = open_bundle(subject.thing)
    for role in bundle.spec.roles:
        load(bundle.path, role=role)


class Recipe(CheckedPlugin):
    """A recipe under test."""

    registry = recipes
    checks = (registration.loads, registration.has_matching_name, imports_quietly, is_complete)


class Model(CheckedPlugin):
    """A registered model under test."""

    registry = models
    checks = (registration.loads, registration.has_matching_name, imports_quietly, is_intact)
