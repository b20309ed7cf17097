"""Checks of combinations: an architecture and a loss that train together for a few ticks."""

from __future__ import annotations

import tempfile
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
from ganzoo.system.quiet import ignored_warnings
from ganzoo.testing.checked_plugin import CheckedPlugin
from ganzoo.testing.checks import NotChecked, prerequisite
from ganzoo.testing.noise import noise
from ganzoo.testing.short_training import BATCH, ShortTraining, run_short_training
from ganzoo.training import resume, train
from ganzoo.training.build import check_combination

Trainings = dict[str, ShortTraining | Exception]
# Output that does not change the training, and takes longer than a few ticks.
QUIET: dict[str, Any] = {
    "device": "cpu",
    "progress": False,
    "monitors": "off",
    "tensorboard": "off",
}


class Combination(NamedTuple):
    """An architecture and a loss that fit together.

    Attributes:
        recipe: recipe with both.
        data: data that the networks are built for.
        kind: kind of the partner, see `ganzoo.testing.kinds`.
    """

    recipe: Recipe
    data: DataSpec
    kind: Hashable


class TrainablePlugin(CheckedPlugin):
    """An architecture or a loss, and its partners: the losses or architectures that fit it.

    Attributes:
        partners: partners to train with, and their arguments; None for all that fit.
        every_partner: whether to train with all partners that fit, or with the first of each kind.
    """

    partners: Mapping[str, Mapping[str, Any]] | None
    every_partner: bool

    @property
    @abstractmethod
    def combinations(self) -> dict[str, Combination]:
        """The combinations with all partners, by name of the partner."""

    @cached_property
    def selection(self) -> dict[str, Combination]:
        """The combinations to train, by name of the partner."""
        if self.every_partner or self.partners is not None:
            return self.combinations
        kinds: dict[Hashable, str] = {}
        for partner, combination in self.combinations.items():
            kinds.setdefault(combination.kind, partner)
        return {partner: self.combinations[partner] for partner in kinds.values()}

    @property
    @abstractmethod
    def required_partner(self) -> str:
        """A description of the partner that it needs, for error messages."""

    @cached_property
    def trainings(self) -> Trainings:
        """Short trainings of the selection in fp32, or their errors, by name of the partner."""
        return self.train_with(self.selection, "fp32")

    @property
    def successful_trainings(self) -> dict[str, ShortTraining]:
        """The trainings without an error and with finite terms, by name of the partner.

        Raises:
            NotChecked: there are none.
        """
        successful = {
            partner: result
            for partner, result in self.trainings.items()
            if isinstance(result, ShortTraining) and not result.first_non_finite
        }
        if not successful:
            raise NotChecked("the check 'trains' fails, and this check depends on it.")
        return successful

    def train_with(
        self, combinations: Mapping[str, Combination], precision: Literal["fp32", "bf16"]
    ) -> Trainings:
        """Return a short training of each combination, or its error."""
        trainings: Trainings = {}
        for partner, (recipe, data, _) in combinations.items():
            try:
                trainings[partner] = run_short_training(recipe, data, precision)
            except Exception as error:  # noqa: BLE001 - a plugin may raise anything
                trainings[partner] = error
        return trainings


def trains(subject: TrainablePlugin) -> None:
    """A few ticks with its partners give finite numbers, in fp32 and in bf16."""
    if not subject.combinations:
        raise ConformanceError(
            f"{subject.label} does not train with anything that is installed: it needs "
            f"{subject.required_partner}. Install or register a partner, or name one in `partners`."
        )
    bf16 = subject.train_with(subject.selection, "bf16")
    for precision, trainings in (("fp32", subject.trainings), ("bf16", bf16)):
        for partner, result in trainings.items():
            problem = f"{subject.label} does not train with {partner} in {precision}"
            if isinstance(result, Exception):
                kind = "" if isinstance(result, GanzooError) else f"{type(result).__name__}: "
                raise ConformanceError(f"{problem}: {kind}{result}") from result
            if result.first_non_finite:
                name, value = result.first_non_finite
                raise ConformanceError(f"{problem}: the term {name} becomes {value}.")


def trains_only_its_own(subject: TrainablePlugin) -> None:
    """A player's step changes the networks that it trains, and no others."""
    for partner, result in subject.successful_trainings.items():
        for player in result.prepared.state.loss.players:
            own, changed = set(player.trains), result.changed_roles[player.name]
            where = f"{subject.label} with {partner}: the player {player.name!r}"
            if foreign := changed - own:
                raise ConformanceError(
                    f"{where} trains {_list(own)}, and its turn changes {_list(foreign)}: do not "
                    "share weights between networks, and change weights only in `constrain`, and "
                    "there only those of the player."
                )
            if constant := own - changed:
                raise ConformanceError(
                    f"{where} trains {_list(own)}, and its turns do not change {_list(constant)}: "
                    "make its terms depend on it, or do not train it."
                )


def resumes(subject: TrainablePlugin) -> None:
    """A training that is stopped and resumed ends with the same bits."""
    for partner, combination in list(subject.selection.items())[:1]:
        with noise(combination.data) as dataset, tempfile.TemporaryDirectory() as folder:
            # Checkpoints after two ticks and after four.
            recipe = replace(combination.recipe, dataset=dataset, images=4 * BATCH)
            with ignored_warnings():
                with prerequisite("trains"):
                    run = train(recipe, out=Path(folder) / "run", **QUIET)
                newest = sorted((run.path / "checkpoints").iterdir())[-1]
                uninterrupted = load(newest.read_bytes())
                newest.unlink()
                resume(run.path, **QUIET)
            resumed = load(newest.read_bytes())
        if uninterrupted.keys() != resumed.keys() or not all(
            torch.equal(uninterrupted[name], resumed[name]) for name in uninterrupted
        ):
            raise ConformanceError(
                f"{subject.label} with {partner} ends with other weights when its training is "
                "stopped and resumed: keep all state in parameters or persistent buffers, and "
                "draw random numbers only from torch."
            )


def fit(recipe: Recipe, nets: Mapping[str, nn.Module], game: Loss, data: DataSpec) -> bool:
    """Return whether training accepts the networks and the loss of a recipe together."""
    if game.roles != set(nets):  # `check_combination` takes long to explain this
        return False
    with ignored_warnings():
        try:
            check_combination(recipe, nets, game, data)
        except GanzooError:
            return False
    return True


def _list(roles: set[str]) -> str:
    return " and ".join(sorted(roles))
