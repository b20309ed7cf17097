"""Play recipes in float64; save the gradient of every update, and the buffers after the last.

It runs alone or under torchrun:

gradients.py OUT DATA RECIPE.toml ...
"""

import dataclasses
import sys
from pathlib import Path

import numpy as np
import torch

from ganzoo.games import Batch
from ganzoo.spec import Recipe
from ganzoo.training import prepare
from ganzoo.training.distributed import join
from ganzoo.training.loop import run_ticks
from helpers.torchrun import run_group


def in_float64(batches):
    for batch in batches:
        condition = None if batch.condition is None else batch.condition.double()
        yield Batch(batch.images.double(), batch.labels, condition)


def play(recipe, data, group) -> dict[str, np.ndarray]:
    prepared = prepare(recipe, data=data, device="cpu", group=group)
    state = prepared.state
    for net in state.nets.values():
        net.double()
    state.ema.update = lambda images_seen: None
    played: dict[str, np.ndarray] = {}
    for player, optimizer in state.optimizers.items():
        weights = [w for part in optimizer.param_groups for w in part["params"]]

        def note(*_, player=player, weights=weights):
            gradient = torch.cat([w.grad.flatten() for w in weights if w.grad is not None])
            played[f"{len(played):04d} {player}"] = gradient.numpy().copy()

        optimizer.register_step_pre_hook(note)
    run_ticks(
        state,
        in_float64(prepared.batches),
        log_term=lambda *a: None,
        log_metric=lambda *a: None,
        report=lambda: True,
    )
    modules = [*state.nets.values(), state.loss]
    buffers = [b.flatten().double() for module in modules for b in module.buffers()]
    if buffers:
        played["buffers"] = torch.cat(buffers).numpy()
    return played


def main(out: str, data: str, *recipes: str) -> None:
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        with join() as group:
            for file in map(Path, recipes):
                recipe = dataclasses.replace(Recipe.from_toml(file), precision="fp32")
                played = play(recipe, data or None, group)
                if group.first:
                    np.savez(Path(out) / file.stem, **played)
    finally:
        torch.set_default_dtype(before)
    left = [file.read_text().strip() for file in Path("/proc/self/task").glob("*/comm")]
    assert not any("gloo" in name for name in left), f"the group outlives its block: {left}"


def difference(processes: int, folder: Path, data: str, *recipes: Path) -> dict[str, list[float]]:
    """Play recipes in this process and in several, and compare their gradients and buffers.

    Returns:
        For each recipe, by its file's stem, the relative difference of the gradients of each update,
        and last of all buffers, if there are any: the norm of the difference divided by the norm.
    """
    alone, together = folder / "alone", folder / "together"
    for out in (alone, together):
        out.mkdir()
    arguments = data, *map(str, recipes)
    main(str(alone), *arguments)
    status, _, err = run_group(processes, together, *arguments, script=__file__)
    assert status == 0, err
    errors = {}
    for name in (recipe.stem for recipe in recipes):
        one, several = (dict(np.load(out / f"{name}.npz")) for out in (alone, together))
        assert one.keys() == several.keys()
        norms = {update: np.linalg.norm(gradient) for update, gradient in one.items()}
        assert min(norms.values()) > 0
        errors[name] = [np.linalg.norm(one[u] - several[u]) / norms[u] for u in one]
    return errors


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(*sys.argv[1:])
