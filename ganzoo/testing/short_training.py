"""A few ticks of a training, and what each player did in them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from ganzoo.games import LOSS, Batch, Loss, Player, Turn
from ganzoo.spec import Component, DataSpec, Recipe
from ganzoo.testing.noise import noise
from ganzoo.training import Prepared, prepare
from ganzoo.training.loop import run_ticks

TICKS, BATCH = 3, 4


@dataclass
class Play:
    """What came of a few ticks.

    Attributes:
        prepared: the training, after them.
        numbers: (player and term, value), in the order they came.
        learnt: parameters, as (role, name), that were given a gradient other than 0.
        moved: for each player the roles whose weights its turns changed; ``loss`` for the loss's
            own.
    """

    prepared: Prepared
    numbers: list[tuple[str, float]] = field(default_factory=list)
    learnt: set[tuple[str, str]] = field(default_factory=set)
    moved: dict[str, set[str]] = field(default_factory=dict)

    @property
    def odd(self) -> tuple[str, float] | None:
        """The first number that is not finite."""
        return next((pair for pair in self.numbers if not math.isfinite(pair[1])), None)


def recipe_of(architecture: Component, loss: Component, **changes: Any) -> Recipe:
    """Return a recipe of a few ticks, its data still to be said."""
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


def play(recipe: Recipe, data: DataSpec, precision: Literal["fp32", "bf16"]) -> Play:
    """Train a recipe on noise, on the CPU, and watch each player's turns.

    Raises:
        GanzooError: it cannot be prepared; and whatever the networks or the game raise.
    """
    with noise(data) as dataset, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ticks(
            prepare(
                Recipe(**vars(recipe) | {"dataset": dataset, "precision": precision}), device="cpu"
            )
        )


def ticks(prepared: Prepared) -> Play:
    """Train to the end of the recipe, watching."""
    seen, state = Play(prepared), prepared.state
    game = state.loss

    def record(player: Player, name: str, value: Tensor) -> None:
        seen.numbers.append((f"{player.name}/{name}", float(value)))

    hooks = [
        optimizer.register_step_pre_hook(_note_gradients(state.nets, seen))
        for optimizer in state.optimizers.values()
    ]
    state.loss = cast(Loss, Watched(game, seen))
    try:
        run_ticks(state, prepared.batches, log_term=record, log_metric=record, report=lambda: True)
    finally:
        state.loss = game
        for hook in hooks:
            hook.remove()
    return seen


class Watched:
    """A game that notes whose weights change from the beginning to the end of each turn."""

    def __init__(self, game: Loss, seen: Play) -> None:
        self.game = game
        self.players = game.players
        self.seen = seen
        self.before: dict[str, list[Tensor]] = {}
        for player in game.players:
            setattr(self, player.name, self._begin(getattr(game, player.name)))

    def _begin(self, method: Callable[..., dict[str, Tensor]]) -> Callable[..., dict[str, Tensor]]:
        def terms(nets: Mapping[str, nn.Module], batch: Batch, turn: Turn) -> dict[str, Tensor]:
            self.before = {
                role: [w.detach().clone() for w in module.parameters()]
                for role, module in self._modules(nets)
            }
            return method(nets, batch, turn)

        return terms

    def constrain(self, player: Player, nets: Mapping[str, nn.Module]) -> None:
        """Let the game do so; that ends the turn."""
        self.game.constrain(player, nets)
        self.seen.moved.setdefault(player.name, set()).update(
            role
            for role, module in self._modules(nets)
            if not all(map(torch.equal, module.parameters(), self.before[role]))
        )

    def _modules(self, nets: Mapping[str, nn.Module]) -> list[tuple[str, nn.Module]]:
        return [*nets.items(), (LOSS, self.game)]


def _note_gradients(
    nets: Mapping[str, nn.Module], seen: Play
) -> Callable[[Optimizer, Any, Any], None]:
    def note(*_: Any) -> None:
        for role, net in nets.items():
            for name, weight in net.named_parameters():
                if weight.requires_grad and weight.grad is not None and weight.grad.any():
                    seen.learnt.add((role, name))

    return note
