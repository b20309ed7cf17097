"""What a run keeps: its newest checkpoints and bundle, and the best bundle so far."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ganzoo.bundle import open_bundle
from ganzoo.errors import GanzooError, RecipeError, did_you_mean, enumerate_names
from ganzoo.training.checkpoint import save_checkpoint
from ganzoo.training.preparation import Prepared
from ganzoo.training.snapshot import write_snapshot

BUNDLE, BEST, LOG = "bundle", "best", "log.jsonl"


def keep(run: Path, prepared: Prepared) -> None:
    """Write a bundle and a checkpoint, and the best bundle where this one is.

    Raises:
        NonFiniteLossError: weights are no numbers; nothing is written.
        OutputError: it cannot be written.
    """
    state, recipe = prepared.state, prepared.recipe
    state.check_finite()
    # The bundles first: a run that has its last checkpoint has its last bundle.
    write_snapshot(run / BUNDLE, prepared, run / LOG)
    if recipe.keep_best:
        _keep_best(run, prepared)
    checkpoint: dict[str, Any] = {
        "state": state.state_dict(),
        "batches_drawn": prepared.batches.position,
        "recipe": recipe.to_toml(),
        "data_root": str(prepared.root.resolve()) if prepared.root else None,
        "data_fingerprint": prepared.batches.fingerprint,
    }
    save_checkpoint(
        run / "checkpoints", state.images_seen, checkpoint, keep=recipe.keep_checkpoints
    )


def check_best(run: Path, name: str) -> None:
    """Refuse to watch for the lowest of a number that the log does not have.

    Raises:
        RecipeError: names those it has.
    """
    numbers = _numbers(json.loads((run / LOG).read_text().splitlines()[-1]))
    if name not in numbers:
        raise RecipeError(
            f"keep_best: the log has no {name!r}.{did_you_mean(name, list(numbers))} It has "
            f"{enumerate_names(list(numbers))}."
        )


def _keep_best(run: Path, prepared: Prepared) -> None:
    name, until = prepared.recipe.keep_best, prepared.state.images_seen
    since = until - max(prepared.recipe.checkpoint_every, prepared.recipe.log_every)
    lines = map(json.loads, (run / LOG).read_text().splitlines())
    values = [_numbers(line)[name] for line in lines if since < line["images"] <= until]
    value = sum(values) / len(values)
    if value < _best_value(run / BEST):
        best = {"lowest": name, "value": value}
        write_snapshot(run / BEST, prepared, run / LOG, best=best)


def _best_value(path: Path) -> float:
    """What the best bundle scored; infinity where there is none that is whole."""
    try:
        return float(open_bundle(path).spec.provenance["best"]["value"])
    except (GanzooError, KeyError):
        return float("inf")


def _numbers(line: dict[str, Any]) -> dict[str, float]:
    numbers: dict[str, float] = line["terms"] | line["watched"]
    return numbers
