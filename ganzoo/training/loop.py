"""The loop. No line of it knows a method's name."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ganzoo.data.batches import Batches
from ganzoo.games import Player, Turn
from ganzoo.training.players import set_learning_rates, train_only
from ganzoo.training.seeding import seed_tick
from ganzoo.training.state import State


def run_ticks(
    state: State,
    batches: Batches,
    *,
    log_term: Callable[[Player, str, Tensor], None],
    log_metric: Callable[[Player, str, Tensor], None],
    report: Callable[[], bool],
) -> None:
    """Train until the recipe's images are seen or `report` says stop.

    Args:
        state: everything that changes.
        batches: where the data comes from.
        log_term: takes each player's terms, detached and still on the device.
        log_metric: takes what a player wants logged beside its terms, likewise.
        report: called after each tick; writes logs, samples and checkpoints when they are due, and
            returns whether to go on.
    """
    recipe, nets, loss, group = state.recipe, state.nets, state.loss, state.group
    while state.images_seen < recipe.images:
        seed_tick(recipe.seed, state.tick)
        set_learning_rates(recipe, state.optimizers, state.images_seen)
        batch_of_tick, progress = next(batches), state.images_seen / recipe.images
        shared_tensors: list[dict[str, Tensor]] = [{} for _ in range(recipe.accumulate)]
        for player in loss.players:
            if state.tick % player.every:
                continue
            for turn in range(player.repeat):
                # The first update shares the tick's batch: a fake that a player shares is
                # compared with the real images it was made beside.
                batch = batch_of_tick if turn == 0 else next(batches)
                # Graphs of all parts at once would take the memory that parts save.
                keeps_graph = turn == 0 and recipe.accumulate == 1
                train_only(
                    nets, player.trains + player.keeps_graph_of * keeps_graph, state.loss_parameters
                )
                state.optimizers[player.name].zero_grad(set_to_none=True)
                for part, shared in zip(
                    batch.split(len(shared_tensors)), shared_tensors, strict=True
                ):
                    now = Turn(state.tick, state.draw_latents, progress, state.images_seen, shared)
                    with state.autocast(), group.whole_batch(len(part), recipe.sync_batchnorm):
                        terms = getattr(loss, player.name)(nets, part, now)
                    means = {name: term.mean() for name, term in terms.items()}
                    state.backward(player, torch.stack(list(means.values())).sum())
                    for name, mean in means.items():
                        log_term(player, name, mean.detach())
                    for name, value in now.metrics.items():
                        log_metric(player, name, value)
                state.step(player)
                loss.constrain(player, nets)
        state.tick += 1
        state.ema.update(state.images_seen)
        if not report():
            return
