"""What a run keeps: its newest checkpoints and bundle, and the best bundle so far."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from ganzoo.bundle import open_bundle
from ganzoo.errors import GanzooError, did_you_mean, enumerate_names
from ganzoo.training.checkpoint import save_checkpoint
from ganzoo.training.lines import read_lines
from ganzoo.training.preparation import Prepared
from ganzoo.training.snapshot import write_snapshot

BUNDLE, BEST, LOG = "bundle", "best", "log.jsonl"


def keep(run: Path, prepared: Prepared) -> None:
    """Write a bundle and a checkpoint.

    Raises:
        NonFiniteLossError: weights are no numbers; nothing is written.
        OutputError: it cannot be written.
    """
    state, recipe = prepared.state, prepared.recipe
    state.check_finite()
    # The bundle first: a run that has its last checkpoint has its last bundle.
    write_snapshot(run / BUNDLE, prepared, run / LOG)
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


def keep_best(run: Path, prepared: Prepared) -> None:
    """Keep the bundle just written as the best one, if it is.

    That is decided by the average of the recipe's number since the checkpoint before; a number that
    the log does not have there is warned of.

    Raises:
        OutputError: it cannot be written.
    """
    recipe, until = prepared.recipe, prepared.state.images_seen
    every = recipe.checkpoint_every or until
    since = (until - recipe.batch_size) // every * every
    lines = [line for line in read_lines(run / LOG) if line["images"] > since]
    numbers = [line["terms"] | line["watched"] for line in lines]
    values = [found[recipe.keep_best] for found in numbers if recipe.keep_best in found]
    if not values:
        names = sorted({name for found in numbers for name in found})
        warnings.warn(
            f"no best bundle is kept: the log has no {recipe.keep_best!r}."
            f"{did_you_mean(recipe.keep_best, names)} It has {enumerate_names(names)}: "
            "--keep-best NAME in a new run",
            stacklevel=2,
        )
        return
    value = sum(values) / len(values)
    if value < _best_value(run / BEST):
        best = {"lowest": recipe.keep_best, "value": value}
        write_snapshot(run / BEST, prepared, run / LOG, best=best)


def _best_value(path: Path) -> float:
    """What the best bundle scored; infinity where there is none that is whole."""
    try:
        return float(open_bundle(path).spec.provenance["best"]["value"])
    except (GanzooError, KeyError):
        return float("inf")
