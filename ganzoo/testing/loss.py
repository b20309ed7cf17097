"""Losses under test, and their checks."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from ganzoo.errors import ConformanceError, GanzooError, enumerate_names
from ganzoo.games import Batch, Turn
from ganzoo.games import Loss as Game
from ganzoo.registry import architectures, losses
from ganzoo.registry.signatures import bind
from ganzoo.spec import Component, DataSpec, Recipe
from ganzoo.system.quiet import ignored_warnings
from ganzoo.testing import registration
from ganzoo.testing.checks import prerequisite
from ganzoo.testing.combinations import (
    Combination,
    TrainablePlugin,
    fit,
    resumes,
    trains,
    trains_only_its_own,
)
from ganzoo.testing.imports import imports_quietly
from ganzoo.testing.kinds import kind_of_networks
from ganzoo.testing.noise import noise
from ganzoo.testing.short_training import recipe_of
from ganzoo.testing.sizes import SIDES, data_of, tiny_variants
from ganzoo.training import prepare
from ganzoo.training.build import build_loss, build_networks
from ganzoo.training.players import train_only
from ganzoo.training.state import State


def builds(subject: Loss) -> None:
    """It builds a ganzoo.Loss."""
    subject.build()


def has_players(subject: Loss) -> None:
    """Its players have unique names, a method each, and networks that they train."""
    game = subject.game
    names = [player.name for player in game.players]
    if not names:
        raise ConformanceError(
            f"{subject.label} has no players: set `players`, such as "
            '(Player("generator", trains=("generator",)),).'
        )
    if len(set(names)) < len(names):
        raise ConformanceError(
            f"{subject.label} has the players {', '.join(names)}: give each a unique name."
        )
    for name in names:
        if not callable(getattr(game, name, None)):
            raise ConformanceError(
                f"{subject.label} has a player {name!r} and no method of that name: define "
                f"{name}(self, nets, batch, turn), which returns the player's terms."
            )
    trained = [role for player in game.players for role in player.trains]
    if duplicates := {role for role in trained if trained.count(role) > 1}:
        raise ConformanceError(
            f"{subject.label} has several players that train {enumerate_names(duplicates)}: let "
            "only one player train each network."
        )
    shared_roles = {role for player in game.players for role in player.keeps_graph_of}
    if unknown := (set(game.exported_roles) | shared_roles) - set(trained):
        raise ConformanceError(
            f"{subject.label} exports or keeps the graph of {enumerate_names(unknown)}, but trains "
            f"only {enumerate_names(game.roles)}: name roles that it trains."
        )
    if game.exported_roles[:1] != ("generator",):
        raise ConformanceError(
            f"{subject.label} exports {', '.join(game.exported_roles) or 'nothing'}: the first "
            "role in `exported_roles` must be 'generator'."
        )


def returns_terms(subject: Loss) -> None:
    """Each player returns named terms, one finite number or one per sample, with a gradient."""
    for partner, combination in subject.selection.items():
        with noise(combination.data) as dataset, ignored_warnings():
            with prerequisite("trains"):
                prepared = prepare(replace(combination.recipe, dataset=dataset), device="cpu")
            state, batch = prepared.state, next(prepared.batches)
            shared: dict[str, Tensor] = {}
            for player in state.loss.players:
                train_only(state.nets, player.trains + player.keeps_graph_of, state.loss_parameters)
                turn = Turn(0, state.draw_latents, shared=shared)
                terms = getattr(state.loss, player.name)(state.nets, batch, turn)
                where = f"{subject.label} with {partner}: the player {player.name!r}"
                _check_terms(where, terms, len(batch))


def declares_real_images(subject: Loss) -> None:
    """Each player whose terms depend on the real images has `reads_real`."""
    for partner, combination in subject.selection.items():
        with noise(combination.data) as dataset, ignored_warnings(), prerequisite("trains"):
            prepared = prepare(replace(combination.recipe, dataset=dataset), device="cpu")
        readers = readers_of_real_images(prepared.state, next(prepared.batches))
        for player in prepared.state.loss.players:
            if player.name in readers and not player.reads_real:
                raise ConformanceError(
                    f"{subject.label} with {partner}: the terms of the player {player.name!r} "
                    "depend on the real images, so with --fresh-latents it needs a batch of its "
                    "own: set reads_real=True in its Player."
                )


def readers_of_real_images(state: State, batch: Batch) -> set[str]:
    """Return the names of the players whose terms change if the batch's images change."""
    modules = [*state.nets.values(), state.loss]
    shared: dict[str, Tensor] = {}
    readers = set()
    for player in state.loss.players:
        train_only(state.nets, (), state.loss_parameters)
        results = []
        start = [deepcopy(module.state_dict()) for module in modules]
        for images in (batch.images, -batch.images):
            # The last pass, on the negative images, does not reach the next player.
            for module, values in zip(modules, start, strict=True):
                module.load_state_dict(values)
            turn = Turn(0, state.draw_latents, shared=dict(shared))
            torch.manual_seed(0)
            terms = getattr(state.loss, player.name)(
                state.nets, replace(batch, images=images), turn
            )
            results.append((terms, turn.shared))
        (terms, left), (others, _) = results
        if not all(torch.equal(terms[name], others[name]) for name in terms):
            readers.add(player.name)
        shared |= left
    return readers


def reports_divergence(subject: Loss) -> None:
    """If its networks return NaN or infinity, its terms are not finite, and no player raises."""
    for partner, combination in subject.selection.items():
        with noise(combination.data) as dataset, ignored_warnings():
            with prerequisite("trains"):
                prepared = prepare(replace(combination.recipe, dataset=dataset), device="cpu")
            batch = next(prepared.batches)
            for value in (float("inf"), float("nan")):
                for weight in prepared.state.nets["generator"].parameters():
                    nn.init.constant_(weight, value)
                _check_divergence(f"{subject.label} with {partner}", prepared.state, batch)


def _check_divergence(where: str, state: State, batch: Batch) -> None:
    shared: dict[str, Tensor] = {}
    finite = True
    for player in state.loss.players:
        train_only(state.nets, player.trains + player.keeps_graph_of, state.loss_parameters)
        turn = Turn(0, state.draw_latents, shared=shared)
        try:
            terms = getattr(state.loss, player.name)(state.nets, batch, turn)
        except Exception as error:
            raise ConformanceError(
                f"{where}: the player {player.name!r} raises {type(error).__name__} ({error}) if "
                "the generator's images are NaN. Return terms that are NaN: ganzoo then ends the "
                "training and names the term."
            ) from error
        finite &= all(bool(term.isfinite().all()) for term in terms.values())
    if finite:
        raise ConformanceError(
            f"{where} returns finite terms if the generator's images are NaN, so a training that "
            "diverges would continue: clamp no images or logits, and use losses on logits."
        )


def _check_terms(where: str, terms: Any, n: int) -> None:
    if not isinstance(terms, Mapping) or not terms:
        actual = "no term" if isinstance(terms, Mapping) else type(terms).__name__
        raise ConformanceError(
            f"{where} returns {actual}, but must return a dict of terms by name: "
            'return {"adversarial": loss}.'
        )
    for name, term in terms.items():
        if not isinstance(term, Tensor) or not isinstance(name, str):
            raise ConformanceError(
                f"{where} returns {name!r}: {type(term).__name__}, but a term must be a tensor, "
                "and its name a string."
            )
        if not term.is_floating_point() or (term.dim() and len(term) != n):
            raise ConformanceError(
                f"{where} returns the term {name!r} as {str(term.dtype).removeprefix('torch.')} "
                f"{tuple(term.shape)} for a batch of {n}: return a floating-point scalar, or one "
                "row per sample."
            )
        if not bool(term.isfinite().all()):
            raise ConformanceError(
                f"{where} returns the term {name!r}, which is not finite on untrained networks: "
                "use a numerically stable form, such as softplus instead of log(sigmoid)."
            )
    if not any(term.requires_grad for term in terms.values()):
        raise ConformanceError(
            f"{where} returns terms without a gradient: make them depend on the networks that it "
            "trains, without detach()."
        )


class Loss(TrainablePlugin):
    """A loss with its arguments, under test.

    Args:
        name: its registered name.
        arguments: arguments of its factory; None for the defaults.
        data: data to train on; None for the first size of `SIDES` that an architecture supports.
        partners: architectures to train, and their arguments; None for all that fit, each with
            the first of its `tiny_variants` that does.
        every_partner: whether to train all architectures that fit, or the first of each kind.
        distribution: the distribution that registers it, if several register the name.
    """

    registry = losses
    checks = (
        registration.loads,
        registration.has_matching_name,
        registration.takes_named_arguments,
        registration.names_its_source,
        imports_quietly,
        builds,
        has_players,
        returns_terms,
        declares_real_images,
        reports_divergence,
        trains,
        trains_only_its_own,
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
        self.data = data
        self.partners = partners
        self.every_partner = every_partner

    def build(self) -> tuple[Recipe, Game]:
        """Return its recipe, with all arguments, and the loss.

        Raises:
            BrokenPluginError, RecipeError, ...: as `prepare`.
        """
        bound = bind("loss", self.name, self.thing, self.arguments)
        recipe = recipe_of(Component("none"), Component(self.name, bound))
        return recipe, build_loss(recipe)

    @cached_property
    def game(self) -> Game:
        """The loss that `build` returns.

        Raises:
            NotChecked: it cannot be built.
        """
        with prerequisite("builds"):
            return self.build()[1]

    @cached_property
    def combinations(self) -> dict[str, Combination]:
        """The combinations with architectures, by name of the architecture."""
        with prerequisite("builds"):
            recipe, game = self.build()
        combinations = {}
        for name, variants in self._candidates().items():
            for arguments in variants:
                candidate = replace(recipe, architecture=Component(name, dict(arguments)))
                if combination := self._combine(candidate, game):
                    choices = [f"{k}={v}" for k, v in arguments.items() if isinstance(v, str)]
                    combinations[" ".join([name, *choices])] = combination
                    break
                if self.partners is not None:
                    combinations[name] = Combination(candidate, self._sizes[0], name)
        return combinations

    @property
    def required_partner(self) -> str:
        """A description of the architecture that it needs, for error messages."""
        return f"an architecture that builds {enumerate_names(self.game.roles)}"

    @property
    def _sizes(self) -> list[DataSpec]:
        return [self.data] if self.data else [data_of(*side) for side in SIDES]

    def _candidates(self) -> dict[str, list[Mapping[str, Any]]]:
        if self.partners is not None:
            return {name: [arguments] for name, arguments in self.partners.items()}
        candidates: dict[str, list[Mapping[str, Any]]] = {}
        for name in architectures.names():
            try:
                candidates[name] = list(tiny_variants(architectures.get(name)))
            except GanzooError:  # skips broken plugins
                continue
        return candidates

    def _combine(self, recipe: Recipe, game: Game) -> Combination | None:
        """Return the combination of a recipe with the first size that it supports, or None."""
        for data in self._sizes:
            try:
                nets = build_networks(recipe, data)
            except Exception:  # noqa: BLE001 - a plugin may raise anything
                continue
            if fit(recipe, nets, game, data):
                return Combination(recipe, data, kind_of_networks(nets))
            if set(nets) != game.roles:  # does not depend on the size
                return None
        return None
