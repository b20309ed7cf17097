"""An architecture that is checked."""

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
from ganzoo.testing import delivery, networks, registration
from ganzoo.testing.checks import after
from ganzoo.testing.imports import imports_quietly
from ganzoo.testing.kinds import kind_of_game
from ganzoo.testing.noise import noise
from ganzoo.testing.pairs import Pair, Paired, fit, moves_its_own, resumes, trains
from ganzoo.testing.short_training import Play, recipe_of
from ganzoo.testing.sizes import SIDES, data_of, tiny_arguments
from ganzoo.testing.snapshots import keeps_its_names
from ganzoo.training.build import build_loss, build_networks
from ganzoo.training.seeding import seed_networks
from ganzoo.training.snapshot import write_snapshot


class Architecture(Paired):
    """An architecture at some arguments.

    Args:
        name: its registered name.
        arguments: at which its networks are small; None takes those of `tiny_arguments`, or else
            its defaults.
        data: what it is built for; None takes the first of some usual sizes that it can make.
        partners: losses it is to train with, and their arguments; None takes those that fit it.
        every_partner: whether it trains with all that fit it, or with the first of each kind.
        snapshot: the file that holds the names of its weights.
        distribution: who registers it, where that must be said.
    """

    registry = architectures
    checks = (
        registration.loads,
        registration.is_named_alike,
        registration.takes_named_arguments,
        registration.names_its_source,
        imports_quietly,
        networks.builds,
        networks.makes_images_of_the_size,
        networks.stays_in_range,
        networks.answers_for_each_image,
        networks.is_deterministic,
        networks.is_batch_independent,
        trains,
        networks.uses_labels,
        networks.learns_everywhere,
        moves_its_own,
        resumes,
        delivery.loads_again,
        delivery.exports,
        keeps_its_names,
    )

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
        self.stated_data = data
        self.partners = partners
        self.every_partner = every_partner
        self.snapshot = snapshot
        self._bundle: tempfile.TemporaryDirectory[str] | None = None

    def build(self) -> tuple[Recipe, DataSpec, dict[str, nn.Module]]:
        """Build its networks, and say with what arguments and for what data.

        Raises:
            ArchitectureError: it cannot be built; of several attempts, why not the first.
            BrokenPluginError, RecipeError, ...: as `prepare`.
        """
        sizes = [data_of(*side) for side in SIDES]
        stated = [self.stated_data] if self.stated_data else sizes
        given: Iterable[Mapping[str, Any]] = (
            [tiny_arguments(self.thing), {}] if self.arguments is None else [self.arguments]
        )
        refusals: list[ArchitectureError] = []
        for data, arguments in itertools.product(stated, given):
            bound = bind("architecture", self.name, self.thing, arguments)
            recipe = recipe_of(Component(self.name, bound), Component("none"), name=self.name)
            seed_networks(0)
            try:
                return recipe, data, build_networks(recipe, data)
            except ArchitectureError as error:
                refusals.append(error)
        raise refusals[0]

    @cached_property
    def built(self) -> tuple[Recipe, DataSpec, dict[str, nn.Module]]:
        """What `build` returned, in eval mode; not to be changed.

        Raises:
            NotChecked: it cannot be built.
        """
        with after("builds"):
            recipe, data, nets = self.build()
        return recipe, data, {role: net.eval() for role, net in nets.items()}

    @cached_property
    def pairs(self) -> dict[str, Pair]:
        """A recipe for each loss."""
        recipe, data, nets = self.built
        if self.partners is not None:
            stated = {name: Component(name, dict(a)) for name, a in self.partners.items()}
            return {n: Pair(replace(recipe, loss=loss), data, n) for n, loss in stated.items()}
        found = {}
        for name in losses.names():
            pair = replace(recipe, loss=Component(name))
            # A loss that is broken, in whatever way, or that needs arguments, is no partner.
            with contextlib.suppress(Exception):
                game = build_loss(pair)
                if fit(pair, nets, game, data):
                    found[name] = Pair(pair, data, kind_of_game(game))
        return found

    @property
    def fitting(self) -> str:
        """What a loss would have to train."""
        return f"a loss that trains {enumerate_names(self.built[2])}"

    @property
    def trained(self) -> Play:
        """A few ticks with the first loss that fits."""
        return next(iter(self.plays.values()))

    @cached_property
    def bundle(self) -> Path:
        """What these ticks left, written as a bundle."""
        self._bundle = tempfile.TemporaryDirectory()
        folder = Path(self._bundle.name)
        log = folder / "log.jsonl"
        log.touch()
        with noise(self.trained.prepared.data):
            write_snapshot(folder / "bundle", self.trained.prepared, log)
        return folder / "bundle"
