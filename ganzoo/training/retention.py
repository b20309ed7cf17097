"""The files that a run keeps: its newest checkpoints, its newest bundle and its best bundle."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ganzoo.bundle import open_bundle
from ganzoo.errors import GanzooError, did_you_mean, enumerate_names
from ganzoo.training.checkpoint import save_checkpoint
from ganzoo.training.jsonl import read_lines
from ganzoo.training.preparation import Prepared
from ganzoo.training.snapshot import write_snapshot

BUNDLE, BEST, LOG = "bundle", "best", "log.jsonl"


def keep(run: Path, prepared: Prepared) -> None:
    """Write a bundle and a checkpoint.

    Raises:
        NonFiniteLossError: a weight is NaN or infinite. Nothing is written.
        OutputError: a file cannot be written.
    """
    state, recipe = prepared.state, prepared.recipe
    state.check_finite()
    # The bundle comes first, so that each checkpoint has its bundle even after a crash.
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


def keep_best_by_log(run: Path, prepared: Prepared) -> None:
    """Write the best bundle if the recipe's `keep_best` names a number of the log.

    It compares the average of the number since the previous checkpoint; lower is better. Warns if
    the log does not have the number.

    Raises:
        OutputError: a file cannot be written.
    """
    recipe, until = prepared.recipe, prepared.state.images_seen
    if "/" not in recipe.keep_best:
        return
    every = recipe.checkpoint_every or until
    since = (until - recipe.batch_size) // every * every
    lines = [line for line in read_lines(run / LOG) if line["images"] > since]
    numbers = [line["terms"] | line["metrics"] for line in lines]
    values = [entry[recipe.keep_best] for entry in numbers if recipe.keep_best in entry]
    if values:
        _keep_if_best(run, prepared, sum(values) / len(values), higher=False)
    else:
        _warn_missing("log", recipe.keep_best, {name for entry in numbers for name in entry})


def keep_best_by_metric(run: Path, prepared: Prepared, metrics: Mapping[str, float]) -> None:
    """Write the best bundle if the recipe's `keep_best` names a metric of the evaluation.

    Warns if the evaluation does not have the metric.

    Args:
        run: the run's folder.
        prepared: the training.
        metrics: the current metrics.

    Raises:
        OutputError: a file cannot be written.
    """
    name = prepared.recipe.keep_best
    if not name or "/" in name:
        return
    if name in metrics:
        assert prepared.evaluator is not None  # it computed the metrics
        higher = prepared.evaluator.direction(name) == "higher"
        _keep_if_best(run, prepared, metrics[name], higher)
    else:
        _warn_missing("evaluation", name, metrics)


def _keep_if_best(run: Path, prepared: Prepared, value: float, higher: bool) -> None:
    before = _best_value(run / BEST)
    if before is None or (value > before if higher else value < before):
        which = "highest" if higher else "lowest"
        best = {which: prepared.recipe.keep_best, "value": value}
        write_snapshot(run / BEST, prepared, run / LOG, best=best)


def _best_value(path: Path) -> float | None:
    """Return the value of the best bundle, or None if there is no complete one."""
    try:
        return float(open_bundle(path).spec.provenance["best"]["value"])
    except (GanzooError, KeyError):
        return None


def _warn_missing(where: str, name: str, known: Iterable[str]) -> None:
    names = sorted(known)
    warnings.warn(
        f"no best bundle is kept: the {where} has no {name!r}.{did_you_mean(name, names)} It has "
        f"{enumerate_names(names)}. Start a new run with --keep-best NAME",
        stacklevel=3,
    )
