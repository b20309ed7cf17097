"""Checks that take a pair: an architecture and a loss that train together for a moment."""

from __future__ import annotations

import tempfile
import warnings
from abc import abstractmethod
from collections.abc import Hashable, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch
from safetensors.torch import load
from torch import nn

from ganzoo.errors import ConformanceError, GanzooError
from ganzoo.games import Loss
from ganzoo.spec import DataSpec, Recipe
from ganzoo.testing.checked_plugin import CheckedPlugin
from ganzoo.testing.checks import NotChecked, after
from ganzoo.testing.noise import noise
from ganzoo.testing.short_training import BATCH, Play, play
from ganzoo.training import resume, train
from ganzoo.training.build import check_combination

Played = dict[str, Play | Exception]
# What shows a training and changes nothing in it costs more than a few ticks.
QUIET: dict[str, Any] = {
    "device": "cpu",
    "progress": False,
    "monitors": "off",
    "tensorboard": "off",
}


class Pair(NamedTuple):
    """An architecture and a loss that fit.

    Attributes:
        recipe: that has both.
        data: what it is for.
        kind: of the partner.
    """

    recipe: Recipe
    data: DataSpec
    kind: Hashable


class Paired(CheckedPlugin):
    """An architecture or a loss, and its partners: those of the other that fit it.

    Attributes:
        partners: those it is played with, and their arguments; None takes all that fit.
        every_partner: whether it is played with all that fit, or with the first of each kind.
    """

    partners: Mapping[str, Mapping[str, Any]] | None
    every_partner: bool

    @property
    @abstractmethod
    def pairs(self) -> dict[str, Pair]:
        """Every partner, by what it is called."""

    @cached_property
    def chosen(self) -> dict[str, Pair]:
        """The partners it is played with."""
        if self.every_partner or self.partners is not None:
            return self.pairs
        kinds: dict[Hashable, str] = {}
        for partner, pair in self.pairs.items():
            kinds.setdefault(pair.kind, partner)
        return {partner: self.pairs[partner] for partner in kinds.values()}

    @property
    @abstractmethod
    def fitting(self) -> str:
        """What a partner would have to be, in a few words."""

    @cached_property
    def played(self) -> Played:
        """A few ticks with each partner, in fp32."""
        return self.play(self.chosen, "fp32")

    @property
    def plays(self) -> dict[str, Play]:
        """Those of them that went well, by partner.

        Raises:
            NotChecked: none did.
        """
        good = {
            partner: result
            for partner, result in self.played.items()
            if isinstance(result, Play) and not result.odd
        }
        if not good:
            raise NotChecked("trains comes first, and fails.")
        return good

    def play(self, pairs: Mapping[str, Pair], precision: Literal["fp32", "bf16"]) -> Played:
        """Train a few ticks with each of some partners."""
        played: Played = {}
        for partner, pair in pairs.items():
            try:
                played[partner] = play(pair.recipe, pair.data, precision)
            except Exception as error:  # noqa: BLE001 - a plugin may raise anything
                played[partner] = error
        return played


def trains(subject: Paired) -> None:
    """A few ticks with its partners give finite numbers, in fp32 and in bf16."""
    if not subject.pairs:
        raise ConformanceError(
            f"{subject.label} trains with nothing that is installed: it needs {subject.fitting}. "
            "Install or register a partner, or say one in `partners`."
        )
    bf16 = subject.play(subject.chosen, "bf16")
    for precision, played in (("fp32", subject.played), ("bf16", bf16)):
        for partner, result in played.items():
            pair = f"{subject.label} does not train with {partner} in {precision}"
            if isinstance(result, Exception):
                told = "" if isinstance(result, GanzooError) else f"{type(result).__name__}: "
                raise ConformanceError(f"{pair}: {told}{result}") from result
            if result.odd:
                name, value = result.odd
                raise ConformanceError(f"{pair}: the term {name} becomes {value}.")


def moves_its_own(subject: Paired) -> None:
    """A player's step moves the networks it trains, and no others."""
    for partner, result in subject.plays.items():
        for player in result.prepared.state.loss.players:
            own, moved = set(player.trains), result.moved[player.name]
            where = f"{subject.label} with {partner}: the player {player.name!r}"
            if strange := moved - own:
                raise ConformanceError(
                    f"{where} trains {_list(own)}, and its turn changes {_list(strange)}: networks "
                    "share no weights, and a loss changes none but in `constrain`, and there its "
                    "player's alone."
                )
            if idle := own - moved:
                raise ConformanceError(
                    f"{where} trains {_list(own)}, and its turns leave {_list(idle)} as it was: "
                    "let its terms depend on it, or do not train it."
                )


def resumes(subject: Paired) -> None:
    """A training that was stopped and goes on ends with the same bits."""
    for partner, pair in list(subject.chosen.items())[:1]:
        with noise(pair.data) as dataset, tempfile.TemporaryDirectory() as folder:
            # Checkpoints after two ticks and after four.
            recipe = replace(pair.recipe, dataset=dataset, images=4 * BATCH)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                with after("trains"):
                    run = train(recipe, out=Path(folder) / "run", **QUIET)
                newest = sorted((run.path / "checkpoints").iterdir())[-1]
                whole = load(newest.read_bytes())
                newest.unlink()
                resume(run.path, **QUIET)
            again = load(newest.read_bytes())
        if whole.keys() != again.keys() or not all(
            torch.equal(whole[name], again[name]) for name in whole
        ):
            raise ConformanceError(
                f"{subject.label} with {partner} ends elsewhere when its training is stopped and "
                "resumed: keep whatever changes as a parameter or a persistent buffer, and draw "
                "random numbers from torch alone."
            )


def fit(recipe: Recipe, nets: Mapping[str, nn.Module], game: Loss, data: DataSpec) -> bool:
    """Whether training would accept a recipe's networks and its game for each other."""
    if game.roles != set(nets):  # which `check_combination` would take long to explain
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            check_combination(recipe, nets, game, data)
        except GanzooError:
            return False
    return True


def _list(roles: set[str]) -> str:
    return " and ".join(sorted(roles))
