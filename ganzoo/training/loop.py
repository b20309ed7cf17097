"""The training loop, which is the same for all losses."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from ganzoo.games import WEIGHTED, Batch, Player, Turn
from ganzoo.training.parts import in_parts
from ganzoo.training.players import set_schedules, train_only
from ganzoo.training.seeding import seed_tick
from ganzoo.training.state import State


def run_ticks(
    state: State,
    batches: Iterator[Batch],
    *,
    log_term: Callable[[Player, str, Tensor], None],
    log_metric: Callable[[Player, str, Tensor], None],
    report: Callable[[], bool],
) -> None:
    """Train until all images of the recipe are seen or `report` returns False.

    Args:
        state: everything that changes.
        batches: the data.
        log_term: receives each player's terms, detached and still on the device; a term with a
            weight twice, without and with it.
        log_metric: receives each player's metrics, detached and still on the device.
        report: runs after each tick; writes logs, samples and checkpoints when they are due, and
            returns whether to continue.
    """
    recipe, nets, loss, group = state.recipe, state.nets, state.loss, state.group
    frozen = state.frozen_parameters
    while state.images_seen < recipe.images:
        seed_tick(recipe.seed, state.tick)
        set_schedules(recipe, state.optimizers, state.images_seen)
        batch_of_tick, progress = next(batches), state.images_seen / recipe.images
        shared_tensors: list[dict[str, Tensor]] = [{} for _ in range(recipe.accumulate)]
        batch_is_used = False
        for player in loss.players:
            if state.tick % player.every:
                continue
            for turn in range(player.repeat):
                # All players use the tick's batch in their first update, so that shared fake
                # images are compared with the real images of the same batch.
                is_fresh = recipe.fresh_latents and player.reads_real and batch_is_used
                batch = next(batches) if turn or is_fresh else batch_of_tick
                batch_is_used = True
                # With several parts, keeping all graphs would need the memory that parts save.
                keeps_graph = turn == 0 and recipe.accumulate == 1 and not recipe.fresh_latents
                train_only(
                    nets,
                    player.trains + player.keeps_graph_of * keeps_graph,
                    state.loss_parameters,
                    frozen,
                )
                state.optimizers[player.name].zero_grad(set_to_none=True)
                parts = in_parts(batch, recipe.accumulate, [*nets.values(), loss], state.device)
                for number, part in enumerate(parts):
                    now = Turn(
                        state.tick,
                        state.draw_latents,
                        progress,
                        state.images_seen,
                        shared_tensors[number],
                        fresh_latents=recipe.fresh_latents,
                    )
                    whole_batch = group.whole_batch(
                        len(part), recipe.sync_batchnorm, part=number, parts=recipe.accumulate
                    )
                    with state.autocast(), whole_batch:
                        terms = getattr(loss, player.name)(nets, part, now)
                    means = {name: term.mean() for name, term in terms.items()}
                    state.backward(player, torch.stack(list(means.values())).sum())
                    for name, mean in means.items():
                        if name in now.unweighted:
                            log_term(player, name, now.unweighted[name].mean())
                            name += WEIGHTED
                        log_term(player, name, mean.detach())
                    for name, value in now.metrics.items():
                        log_metric(player, name, value)
                state.step(player)
                loss.constrain(player, nets)
        state.tick += 1
        state.ema.update(state.images_seen)
        if not report():
            return
