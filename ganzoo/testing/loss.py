"""A loss that is checked, and the checks that are its own."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from torch import Tensor

from ganzoo.errors import ConformanceError, GanzooError, enumerate_names
from ganzoo.games import Loss as Game
from ganzoo.games import Turn
from ganzoo.registry import architectures, losses
from ganzoo.registry.signatures import bind
from ganzoo.spec import Component, DataSpec, Recipe
from ganzoo.testing import registration
from ganzoo.testing.checks import after
from ganzoo.testing.imports import imports_quietly
from ganzoo.testing.kinds import kind_of_networks
from ganzoo.testing.noise import noise
from ganzoo.testing.pairs import Pair, Paired, fit, moves_its_own, resumes, trains
from ganzoo.testing.short_training import recipe_of
from ganzoo.testing.sizes import SIDES, data_of, tiny_variants
from ganzoo.training import prepare
from ganzoo.training.build import build_loss, build_networks
from ganzoo.training.players import train_only


def builds(subject: Loss) -> None:
    """It builds a game."""
    subject.build()


def has_players(subject: Loss) -> None:
    """Its players have names of their own, a method each, and networks that they train."""
    game = subject.game
    names = [player.name for player in game.players]
    if not names:
        raise ConformanceError(
            f"{subject.label} has no players: set `players`, such as "
            '(Player("generator", trains=("generator",)),).'
        )
    if len(set(names)) < len(names):
        raise ConformanceError(
            f"{subject.label} has the players {', '.join(names)}: give each a name of its own."
        )
    for name in names:
        if not callable(getattr(game, name, None)):
            raise ConformanceError(
                f"{subject.label} has a player {name!r} and no method of that name: write "
                f"def {name}(self, nets, batch, turn), which returns the player's terms."
            )
    trained = [role for player in game.players for role in player.trains]
    if twice := {role for role in trained if trained.count(role) > 1}:
        raise ConformanceError(
            f"{subject.label} has several players that train {enumerate_names(twice)}: give "
            "each network to one player, whose optimizer alone moves it."
        )
    handed = {role for player in game.players for role in player.keeps_graph_of}
    if unknown := (set(game.exported_roles) | handed) - set(trained):
        raise ConformanceError(
            f"{subject.label} exports or keeps the graph of {enumerate_names(unknown)}, and trains "
            f"{enumerate_names(game.roles)}: name roles that it trains."
        )
    if game.exported_roles[:1] != ("generator",):
        raise ConformanceError(
            f"{subject.label} exports {', '.join(game.exported_roles) or 'nothing'}: the first "
            "role that it exports is 'generator'."
        )


def returns_terms(subject: Loss) -> None:
    """Each player returns named terms, finite numbers or one for each sample, with a gradient."""
    for partner, pair in subject.chosen.items():
        with noise(pair.data) as dataset, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with after("trains"):
                prepared = prepare(replace(pair.recipe, dataset=dataset), device="cpu")
            state, batch = prepared.state, next(prepared.batches)
            shared: dict[str, Tensor] = {}
            for player in state.loss.players:
                train_only(state.nets, player.trains + player.keeps_graph_of, state.loss_parameters)
                turn = Turn(0, state.draw_latents, shared=shared)
                terms = getattr(state.loss, player.name)(state.nets, batch, turn)
                where = f"{subject.label} with {partner}: the player {player.name!r}"
                _check_terms(where, terms, len(batch))


def _check_terms(where: str, terms: Any, n: int) -> None:
    if not isinstance(terms, Mapping) or not terms:
        shown = "no term" if isinstance(terms, Mapping) else type(terms).__name__
        raise ConformanceError(
            f"{where} returns {shown}, and must return a dict of terms by name: "
            'return {"adversarial": loss}.'
        )
    for name, term in terms.items():
        if not isinstance(term, Tensor) or not isinstance(name, str):
            raise ConformanceError(
                f"{where} returns {name!r}: {type(term).__name__}, and a term is a tensor by name."
            )
        if not term.is_floating_point() or (term.dim() and len(term) != n):
            raise ConformanceError(
                f"{where} returns the term {name!r} as {str(term.dtype).removeprefix('torch.')} "
                f"{tuple(term.shape)} of a batch of {n}: a term is a floating-point scalar, or has "
                "a row for each sample."
            )
        if not bool(term.isfinite().all()):
            raise ConformanceError(
                f"{where} returns the term {name!r}, which is not finite on untrained networks: "
                "use stable forms, such as softplus in place of log(sigmoid)."
            )
    if not any(term.requires_grad for term in terms.values()):
        raise ConformanceError(
            f"{where} returns terms without a gradient: let them depend on what it trains, and "
            "detach nothing of that."
        )


class Loss(Paired):
    """A loss at some arguments.

    Args:
        name: its registered name.
        arguments: of its factory; None for its defaults.
        data: what it is played on; None takes the first of some usual sizes that an architecture
            can make.
        partners: architectures that it is to play with, and their arguments; None takes those
            that fit it, each at the first of its `tiny_variants` that does.
        every_partner: whether it plays with all that fit it, or with the first of each kind.
        distribution: who registers it, where that must be said.
    """

    registry = losses
    checks = (
        registration.loads,
        registration.is_named_alike,
        registration.takes_named_arguments,
        registration.names_its_source,
        imports_quietly,
        builds,
        has_players,
        returns_terms,
        trains,
        moves_its_own,
        resumes,
    )

    def __init__(
        self,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        data: DataSpec | None = None,
        partners: Mapping[str, Mapping[str, Any]] | None = None,
        every_partner: bool = False,
        distribution: str | None = None,
    ) -> None:
        super().__init__(name, distribution)
        self.arguments = arguments or {}
        self.stated_data = data
        self.partners = partners
        self.every_partner = every_partner

    def build(self) -> tuple[Recipe, Game]:
        """Make its game, and say with what arguments.

        Raises:
            BrokenPluginError, RecipeError, ...: as `prepare`.
        """
        bound = bind("loss", self.name, self.thing, self.arguments)
        recipe = recipe_of(Component("none"), Component(self.name, bound))
        return recipe, build_loss(recipe)

    @cached_property
    def game(self) -> Game:
        """What `build` returned.

        Raises:
            NotChecked: it cannot be built.
        """
        with after("builds"):
            return self.build()[1]

    @cached_property
    def pairs(self) -> dict[str, Pair]:
        """A recipe for each architecture."""
        with after("builds"):
            recipe, game = self.build()
        found = {}
        for name, variants in self._candidates().items():
            for arguments in variants:
                both = replace(recipe, architecture=Component(name, dict(arguments)))
                if pair := self._pair(both, game):
                    chosen = [f"{k}={v}" for k, v in arguments.items() if isinstance(v, str)]
                    found[" ".join([name, *chosen])] = pair
                    break
                if self.partners is not None:
                    found[name] = Pair(both, self._sizes[0], name)
        return found

    @property
    def fitting(self) -> str:
        """What an architecture would have to build."""
        return f"an architecture that builds {enumerate_names(self.game.roles)}"

    @property
    def _sizes(self) -> list[DataSpec]:
        return [self.stated_data] if self.stated_data else [data_of(*side) for side in SIDES]

    def _candidates(self) -> dict[str, list[Mapping[str, Any]]]:
        if self.partners is not None:
            return {name: [arguments] for name, arguments in self.partners.items()}
        candidates: dict[str, list[Mapping[str, Any]]] = {}
        for name in architectures.names():
            try:
                candidates[name] = list(tiny_variants(architectures.get(name)))
            except GanzooError:  # a broken plugin is no partner
                continue
        return candidates

    def _pair(self, recipe: Recipe, game: Game) -> Pair | None:
        """Return a recipe's pair for the first data that it would accept."""
        for data in self._sizes:
            try:
                nets = build_networks(recipe, data)
            except Exception:  # noqa: BLE001 - a plugin may raise anything
                continue
            if fit(recipe, nets, game, data):
                return Pair(recipe, data, kind_of_networks(nets))
            if set(nets) != game.roles:  # whatever the size
                return None
        return None
