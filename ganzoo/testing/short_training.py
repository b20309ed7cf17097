"""A training of a few ticks, and a record of the updates of each player."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from ganzoo.games import LOSS, Batch, Loss, Player, Turn
from ganzoo.spec import Component, DataSpec, Recipe
from ganzoo.system.quiet import ignored_warnings
from ganzoo.testing.noise import noise
from ganzoo.training import Prepared, prepare
from ganzoo.training.loop import run_ticks

TICKS, BATCH = 3, 4


@dataclass
class ShortTraining:
    """The record of a training of a few ticks.

    Attributes:
        prepared: the training after its last tick.
        values: logged values (player/term, value), in order.
        weights_with_gradient: parameters (role, name) with a gradient other than 0.
        changed_roles: player -> roles whose weights its turns changed; ``loss`` means the
            parameters of the loss.
    """

    prepared: Prepared
    values: list[tuple[str, float]] = field(default_factory=list)
    weights_with_gradient: set[tuple[str, str]] = field(default_factory=set)
    changed_roles: dict[str, set[str]] = field(default_factory=dict)

    @property
    def first_non_finite(self) -> tuple[str, float] | None:
        """The first logged value (player/term, value) that is not finite, or None."""
        return next((entry for entry in self.values if not math.isfinite(entry[1])), None)


def recipe_of(architecture: Component, loss: Component, **changes: Any) -> Recipe:
    """Return a recipe of a few ticks, without a dataset."""
    fields: dict[str, Any] = {
        "name": "checked",
        "architecture": architecture,
        "loss": loss,
        "dataset": Component("none"),
        "images": TICKS * BATCH,
        "batch_size": BATCH,
        "log_every": 2 * BATCH,
        "sample_every": 0,
        "checkpoint_every": 2 * BATCH,
        "ema_halflife": 2 * BATCH,
    }
    return Recipe(**fields | changes)


def run_short_training(
    recipe: Recipe, data: DataSpec, precision: Literal["fp32", "bf16"]
) -> ShortTraining:
    """Train a recipe on noise, on the CPU, and return a record of each player's turns.

    Raises:
        GanzooError: the training cannot be prepared. Networks and loss may raise other errors.
    """
    with noise(data) as dataset, ignored_warnings():
        return run_to_end(
            prepare(
                Recipe(**vars(recipe) | {"dataset": dataset, "precision": precision}), device="cpu"
            )
        )


def run_to_end(prepared: Prepared) -> ShortTraining:
    """Train to the end of the recipe, and return a record of each player's turns."""
    result, state = ShortTraining(prepared), prepared.state
    game = state.loss

    def record(player: Player, name: str, value: Tensor) -> None:
        result.values.append((f"{player.name}/{name}", float(value)))

    hooks = [
        optimizer.register_step_pre_hook(_record_gradients(state.nets, result))
        for optimizer in state.optimizers.values()
    ]
    state.loss = cast(Loss, RecordedGame(game, result))
    try:
        run_ticks(state, prepared.batches, log_term=record, log_metric=record, report=lambda: True)
    finally:
        state.loss = game
        for hook in hooks:
            hook.remove()
    return result


class RecordedGame:
    """A game that records which networks change from the start to the end of each turn.

    Args:
        game: the loss.
        result: where `changed_roles` are recorded.
    """

    def __init__(self, game: Loss, result: ShortTraining) -> None:
        self.game = game
        self.players = game.players
        self.result = result
        self.before: dict[str, list[Tensor]] = {}
        for player in game.players:
            setattr(self, player.name, self._recorded(getattr(game, player.name)))

    def _recorded(
        self, method: Callable[..., dict[str, Tensor]]
    ) -> Callable[..., dict[str, Tensor]]:
        def terms(nets: Mapping[str, nn.Module], batch: Batch, turn: Turn) -> dict[str, Tensor]:
            self.before = {
                role: [w.detach().clone() for w in module.parameters()]
                for role, module in self._modules(nets)
            }
            return method(nets, batch, turn)

        return terms

    def constrain(self, player: Player, nets: Mapping[str, nn.Module]) -> None:
        """Call the game's method, which ends the turn, and record the roles that changed."""
        self.game.constrain(player, nets)
        self.result.changed_roles.setdefault(player.name, set()).update(
            role
            for role, module in self._modules(nets)
            if not all(map(torch.equal, module.parameters(), self.before[role]))
        )

    def _modules(self, nets: Mapping[str, nn.Module]) -> list[tuple[str, nn.Module]]:
        return [*nets.items(), (LOSS, self.game)]


def _record_gradients(
    nets: Mapping[str, nn.Module], result: ShortTraining
) -> Callable[[Optimizer, Any, Any], None]:
    def record(*_: Any) -> None:
        for role, net in nets.items():
            for name, weight in net.named_parameters():
                if weight.requires_grad and weight.grad is not None and weight.grad.any():
                    result.weights_with_gradient.add((role, name))

    return record
