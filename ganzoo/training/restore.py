"""Restore a run from its newest checkpoint."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from ganzoo.bundle import CONFIG
from ganzoo.bundle.files import sha256, write_file
from ganzoo.data.cache import CacheOptions
from ganzoo.data.run_data import RunData
from ganzoo.errors import (
    MALFORMED,
    CheckpointError,
    GanzooError,
    RecipeError,
    as_folder,
    quantity,
    shell_word,
)
from ganzoo.registry import needs_data
from ganzoo.registry.signatures import as_option
from ganzoo.spec import INITIAL, Recipe
from ganzoo.spec.json_text import read_json
from ganzoo.spec.parsing import shorten
from ganzoo.training.build import complete
from ganzoo.training.changes import (
    HISTORY,
    check_history,
    check_state,
    command_of_new_run,
    differences,
    extend_history,
    read_history,
    replay,
    write_history,
)
from ganzoo.training.checkpoint import load_checkpoint, share_checkpoint
from ganzoo.training.distributed import Group
from ganzoo.training.initial_weights import FILE as INITIAL_FILE
from ganzoo.training.initial_weights import InitialWeights
from ganzoo.training.options import RunOptions
from ganzoo.training.preparation import prepare
from ganzoo.training.prepared import Prepared
from ganzoo.training.snapshot import BUNDLE

RECIPE = "recipe.toml"
# Files of a run, by their names in the provenance of its bundle.
_RECORDS = {INITIAL: INITIAL_FILE, "history": HISTORY}


def restore(
    path: Path, options: RunOptions, group: Group, recipe: Recipe | None = None
) -> Prepared:
    """Load the newest checkpoint. Only the first process reads files; it shares them.

    Args:
        path: the run's folder.
        options: the options of this process.
        group: the processes of the training.
        recipe: the recipe to continue with; by default that of the folder.

    Raises:
        CheckpointError: all checkpoints are damaged, or the recipe or the data has changed.
        RecipeError: the batch size cannot change here, or the run has seen more images.
    """
    file = path / RECIPE
    current = read_recipe(path, group)
    recipe = recipe or current
    began = _share(RunData.read(path) if group.first else None, group)
    folder: str | Path | None = options.data
    if folder is None and began and needs_data(recipe.dataset.name):
        folder = began.folder
    initial = InitialWeights.read(path) if group.first else None
    # Without a checkpoint, a run would start from random weights instead of its initial ones.
    remedy = (
        [f"Start a new run:\n  {command_of_new_run(path, data=options.data)}"] if initial else []
    )
    checkpoint = share_checkpoint(
        load_checkpoint(path / "checkpoints", *remedy) if group.first else None, group
    )
    if checkpoint is None and began and group.first and sha256(file) != began.recipe_sha256:
        raise CheckpointError(
            f"{file} has changed since the run began, and the run has no checkpoint. Restore the "
            "file, or start a new run with it:\n"
            f"  {command_of_new_run(path, data=options.data)}"
        )
    cache = CacheOptions.of(options.cache, path)
    if checkpoint and group.first:
        _check_records(path)
    if checkpoint is None and initial:
        raise CheckpointError(
            f"the run {path} was stopped before it saved its first weights, those of "
            f"{initial.model!r}. Start it again:\n  {command_of_new_run(path, data=options.data)}"
        )
    prepared = prepare(recipe, data=folder, device=options.device, group=group, cache=cache)
    fingerprint = checkpoint["data_fingerprint"] if checkpoint else began and began.sha256
    if fingerprint and not prepared.batches.matches(fingerprint):
        raise CheckpointError(
            f"the data in {prepared.root} differs from the data that {path} was trained on. Pass "
            "the folder of that data with --data DIR, or train on these images with the weights of "
            f"the run:\n  {command_of_new_run(path, data=prepared.root, start=path)}"
        )
    prepared = replace(prepared, initial=initial)
    if fingerprint:  # of the same kind in all bundles of the run, whether streamed or not
        prepared.batches.fingerprint = fingerprint
    if checkpoint:  # a run that was interrupted before the first one starts again
        history = group.tell(json.dumps(read_history(path) if group.first else []).encode())
        prepared = _continue(path, prepared, current, checkpoint, json.loads(history))
    if group.first:
        write_history(path, prepared.history)  # empty if the run starts again
        if complete(current) != prepared.recipe:
            write_file(file, prepared.recipe.to_toml())
        # The folder may have moved.
        record_data(path, prepared, sha256(file), began.model if began else None)
    return prepared


def _check_records(path: Path) -> None:
    """Check that a run still has the records that are in the provenance of its bundle.

    Raises:
        CheckpointError: one is missing, so the next model card would lose it.
    """
    config = path / BUNDLE / CONFIG
    try:
        provenance = read_json(config.read_bytes() if config.is_file() else b"")["provenance"]
        names = [name for key, name in _RECORDS.items() if provenance.get(key)]
    except (OSError, *MALFORMED):  # the run has no bundle, or it is damaged: it is written again
        return
    for name in names:
        if not (path / name).exists():
            raise CheckpointError(
                f"{path / name} is missing, a record of the run that the model's card needs. "
                "Restore it."
            )


def _continue(
    path: Path,
    prepared: Prepared,
    current: Recipe,
    checkpoint: dict[str, Any],
    history: list[dict[str, Any]],
) -> Prepared:
    """Load a checkpoint into a training; return it with the history of its recipe."""
    # All are completed by today's plugins, which may have got new arguments since the checkpoint.
    trained = complete(Recipe.from_text(checkpoint["recipe"], where="the recipe in its checkpoint"))
    state, batches = prepared.state, prepared.batches
    try:
        state.load_state_dict(checkpoint["state"])
    except (RuntimeError, *MALFORMED) as error:
        check_state(path, trained, prepared.recipe, error, prepared.root)
        several = len(list((path / "checkpoints").glob("*.safetensors"))) > 1
        remedy = "Delete it to continue from the one before it."
        if not several:
            remedy = f"Start a new run:\n  {command_of_new_run(path, data=prepared.root)}"
        raise CheckpointError(
            f"the newest checkpoint in {path / 'checkpoints'} does not hold the networks and "
            f"optimizers of this recipe: {shorten(str(error)).removesuffix('.')}. {remedy}"
        ) from error
    images_seen = state.tick * trained.batch_size
    check_history(path, [line for line in history if line["images"] < images_seen], trained)
    later = [line for line in history if line["images"] >= images_seen]
    try:
        changed = complete(replay(trained, later))
    except (GanzooError, *MALFORMED):  # a history that somebody edited explains no change
        changed = trained
    if complete(current) not in (trained, changed):
        raise CheckpointError(
            f"{path / RECIPE} differs from the recipe of the run's checkpoint. Restore the file, "
            "and pass changes as options: ganzoo train --resume "
            f"{shell_word(path)} --images N. Or start a new run with the changed recipe:\n"
            f"  {command_of_new_run(path, data=prepared.root)}"
        )
    if prepared.recipe.images < min(images_seen, trained.images):
        raise RecipeError(
            f"the run has seen {quantity(images_seen, 'image')}, so it cannot become one of "
            f"{prepared.recipe.images:,}. Use --images with {images_seen} or more."
        )
    option = "keep_discriminator"
    if images_seen >= prepared.recipe.images and option in differences(trained, prepared.recipe):
        words = as_option("keep-discriminator", prepared.recipe.keep_discriminator)
        raise RecipeError(
            f"the run is finished, so {words} changes none of its bundles. Lengthen the run: "
            f"ganzoo train --resume {shell_word(path)} --images {2 * images_seen} {words}. A new "
            f"run that starts from this one with --init-from {as_folder(path)} has its "
            "discriminator anyway."
        )
    ratio = (trained.batch_size, prepared.recipe.batch_size)
    state.tick = _convert(state.tick, *ratio)
    batches.position = _convert(checkpoint["batches_drawn"], *ratio)
    return replace(prepared, history=extend_history(history, images_seen, trained, prepared.recipe))


def _convert(batches: int, before: int, after: int) -> int:
    """Return a number of batches in batches of another size."""
    if batches * before % after:
        raise RecipeError(
            f"the run has seen {quantity(batches * before, 'image')}, which are no whole number of "
            f"batches of {after}. Use a --batch-size that divides {batches * before}."
        )
    return batches * before // after


def read_recipe(path: Path, group: Group) -> Recipe:
    """Return the recipe of a run's folder in all processes; only the first one reads it."""
    return share_recipe(Recipe.from_toml(path / RECIPE) if group.first else None, group)


def share_recipe(recipe: Recipe | None, group: Group) -> Recipe:
    """Return the first process's recipe in all processes."""
    text = group.tell((recipe.to_toml() if recipe and group.first else "").encode()).decode()
    return Recipe.from_text(text, where="the recipe of the run")


def record_data(path: Path, prepared: Prepared, recipe_sha256: str, model: str | None) -> None:
    """Write where a run's data and first model are, and the fingerprints that `restore` checks."""
    folder = str(prepared.root.resolve()) if prepared.root else None
    batches = prepared.batches
    RunData(folder, len(batches), batches.fingerprint, recipe_sha256, model).write(path)


def _share(data: RunData | None, group: Group) -> RunData | None:
    """Return the first process's data of the run in all processes."""
    fields = json.loads(group.tell(json.dumps(data and dataclasses.asdict(data)).encode()))
    return RunData(**fields) if fields else None
