"""The networks of an architecture, and their trainings."""

from __future__ import annotations

import contextlib
import itertools
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from torch import nn

from ganzoo.errors import ArchitectureError, enumerate_names
from ganzoo.registry import architectures, losses
from ganzoo.registry.signatures import bind
from ganzoo.spec import Component, DataSpec, Recipe
from ganzoo.testing.checks import prerequisite
from ganzoo.testing.combinations import (
    Combination,
    TrainablePlugin,
    fit,
)
from ganzoo.testing.kinds import kind_of_game
from ganzoo.testing.noise import noise
from ganzoo.testing.short_training import ShortTraining, recipe_of
from ganzoo.testing.sizes import SIDES, data_of, tiny_arguments
from ganzoo.training.build import build_loss, build_networks
from ganzoo.training.seeding import seed_networks
from ganzoo.training.snapshot import write_snapshot


class BuiltArchitecture(TrainablePlugin):
    """An architecture with its arguments, its networks and its trainings.

    Args:
        name: its registered name.
        arguments: arguments for small networks; None for `tiny_arguments`, or the defaults if
            those fail.
        data: data to build it for; None for the first size of `SIDES` that it supports.
        partners: losses to train with, and their arguments; None for all that fit.
        every_partner: whether to train with all losses that fit, or with the first of each kind.
        snapshot: file with the names of its weights.
        distribution: the distribution that registers it, if several register the name.
    """

    registry = architectures

    def __init__(
        self,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        data: DataSpec | None = None,
        partners: Mapping[str, Mapping[str, Any]] | None = None,
        every_partner: bool = False,
        snapshot: Path | None = None,
        distribution: str | None = None,
    ) -> None:
        super().__init__(name, distribution)
        self.arguments = arguments
        self.data = data
        self.partners = partners
        self.every_partner = every_partner
        self.snapshot = snapshot
        self._bundle: tempfile.TemporaryDirectory[str] | None = None

    def build(self) -> tuple[Recipe, DataSpec, dict[str, nn.Module]]:
        """Return its recipe, its data and its networks, by role.

        Raises:
            ArchitectureError: it cannot be built; the error of the first attempt.
            BrokenPluginError, RecipeError, ...: as `prepare`.
        """
        sizes = [self.data] if self.data else [data_of(*side) for side in SIDES]
        candidates: Iterable[Mapping[str, Any]] = (
            [tiny_arguments(self.thing), {}] if self.arguments is None else [self.arguments]
        )
        errors: list[ArchitectureError] = []
        for data, arguments in itertools.product(sizes, candidates):
            bound = bind("architecture", self.name, self.thing, arguments)
            recipe = recipe_of(Component(self.name, bound), Component("none"), name=self.name)
            seed_networks(0)
            try:
                return recipe, data, build_networks(recipe, data)
            except ArchitectureError as error:
                errors.append(error)
        raise errors[0]

    @cached_property
    def built(self) -> tuple[Recipe, DataSpec, dict[str, nn.Module]]:
        """The result of `build`, with networks in eval mode; checks do not change it.

        Raises:
            NotChecked: it cannot be built.
        """
        with prerequisite("builds"):
            recipe, data, nets = self.build()
        return recipe, data, {role: net.eval() for role, net in nets.items()}

    @cached_property
    def combinations(self) -> dict[str, Combination]:
        """The combinations with losses, by name of the loss."""
        recipe, data, nets = self.built
        if self.partners is not None:
            components = {name: Component(name, dict(a)) for name, a in self.partners.items()}
            return {
                name: Combination(replace(recipe, loss=loss), data, name)
                for name, loss in components.items()
            }
        combinations = {}
        for name in losses.names():
            candidate = replace(recipe, loss=Component(name))
            # Skips losses that are broken in any way, or that need arguments.
            with contextlib.suppress(Exception):
                game = build_loss(candidate)
                if fit(candidate, nets, game, data):
                    combinations[name] = Combination(candidate, data, kind_of_game(game))
        return combinations

    @property
    def required_partner(self) -> str:
        """A description of the loss that it needs, for error messages."""
        return f"a loss that trains {enumerate_names(self.built[2])}"

    @property
    def trained(self) -> ShortTraining:
        """The first successful training."""
        return next(iter(self.successful_trainings.values()))

    @cached_property
    def bundle(self) -> Path:
        """The path of a bundle of the networks after that training."""
        self._bundle = tempfile.TemporaryDirectory()
        folder = Path(self._bundle.name)
        log = folder / "log.jsonl"
        log.touch()
        with noise(self.trained.prepared.data):
            write_snapshot(folder / "bundle", self.trained.prepared, log)
        return folder / "bundle"
