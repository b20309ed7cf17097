"""Changes of a run's recipe when it is resumed, and their history."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ganzoo.bundle.files import write_file
from ganzoo.bundle.folder import RUN_RECIPE
from ganzoo.bundle.json_lines import read_lines
from ganzoo.data.run_data import RunData
from ganzoo.errors import CheckpointError, GanzooError, RecipeError, enumerate_names
from ganzoo.registry import COMPONENTS
from ganzoo.registry.own_file import repeat_imports
from ganzoo.registry.signatures import arguments_of, as_option
from ganzoo.spec import Recipe
from ganzoo.spec.parsing import shorten
from ganzoo.training.initial_weights import InitialWeights
from ganzoo.training.prepared import Prepared

HISTORY = "history.jsonl"

# Fields that change how long a run is and what it writes, but nothing that it learns.
FREE = frozenset(
    {
        *("images", "name", "description", "streaming", "log_every", "sample_every"),
        *(
            "checkpoint_every",
            "keep_checkpoints",
            "keep_discriminator",
            "evaluate_every",
            "evaluate_samples",
        ),
        *("evaluate_with", "evaluate_metrics", "keep_best"),
    }
)
# Fields that define the networks, their first weights, the data and the game.
FIXED = frozenset(
    {
        "architecture",
        "dataset",
        "initialisation",
        "spectral_norm",
        "freeze_layers",
        "seed",
        "loss.name",
    }
)
_TEXTS = ("name", "description")
_REGISTRIES = {registry.kind: registry for registry in COMPONENTS}


def differences(before: Recipe, after: Recipe) -> dict[str, tuple[Any, Any]]:
    """Return the fields that differ, as ``{"optimizer.lr": (before, after)}``."""
    old, new = _flat(before), _flat(after)
    return {
        field: (old.get(field), new.get(field))
        for field in sorted(old.keys() | new.keys())
        if old.get(field) != new.get(field)
    }


def check_changes(
    run: Path, before: Recipe, after: Recipe, *, change: bool, data: Path | None = None
) -> None:
    """Check that a resumed run may change these fields of its recipe.

    Args:
        run: the run's folder.
        before: the run's recipe.
        after: the recipe to continue with.
        change: whether fields that change what the run learns may change.
        data: folder of the dataset, if it is not the one that the run records.

    Raises:
        RecipeError: a field never changes in a run, or needs `change`.
    """
    fields = differences(before, after)
    if constant := [f for f in fields if {f, f.partition(".")[0]} & FIXED]:
        options = _as_options(before, after)
        text = f"a run keeps its {_options(constant)}. Start a new run with the other value:\n"
        if {field.partition(".")[0] for field in constant} == {"dataset"}:
            named = [as_option("name", f"{after.name}-2"), *options]
            text += f"  {command_of_new_run(run, named, data, start=run)}\n"
            text += "It starts from the weights of this run. From the first weights instead:\n"
        raise RecipeError(f"{text}  {command_of_new_run(run, options, data)}")
    if (others := [f for f in fields if f not in FREE]) and not change:
        raise RecipeError(
            f"{_options(others)} {'changes' if len(others) == 1 else 'change'} what the run "
            f"learns. Add --change, and {run / HISTORY} and the model card record it."
        )


def check_state(
    run: Path, before: Recipe, after: Recipe, error: Exception, data: Path | None
) -> None:
    """Check that changes of the recipe are not why a checkpoint does not fit.

    Args:
        run: the run's folder.
        before: the recipe of the checkpoint.
        after: the recipe to continue with.
        error: what does not fit.
        data: folder of the dataset.

    Raises:
        RecipeError: fields have changed that may need other state, such as that of an optimizer.
    """
    if fields := [f for f in differences(before, after) if f not in FREE]:
        raise RecipeError(
            f"the checkpoint of {run} does not fit with {_options(fields)}: "
            f"{shorten(str(error)).rstrip('. ')}. Resume without a change that needs other "
            "state, such as of the optimizer or of the loss, or start a new run with the weights "
            f"of this one:\n  {command_of_new_run(run, _as_options(before, after), data, run)}"
        ) from error


def command_of_new_run(
    run: Path,
    options: Sequence[str] = (),
    data: Path | None = None,
    start: Path | None = None,
) -> str:
    """Return the command that starts a new run with the recipe of a run.

    Args:
        run: the run's folder.
        options: options that change the recipe.
        data: folder of the dataset, if it is not the one that the run records.
        start: folder of a run whose weights the new one starts from; by default the weights that
            the run started from.
    """
    words = ["ganzoo train", shlex.quote(str(run / RUN_RECIPE)), *options]
    record, initial = RunData.read(run), InitialWeights.read(run)
    if folder := data or (record and record.folder):
        words.append(as_option("data", folder))
    if start:
        words.append(as_option("init-from", os.path.join(".", start)))
    elif initial:
        words.append(
            as_option("init-from", initial.address or (record and record.model) or "MODEL")
        )
    named = run if run.name not in ("", "..") else run.resolve()
    folders = (named.with_name(f"{named.name}-{k}") for k in itertools.count(2))
    words.append(as_option("out", next(folder for folder in folders if not folder.exists())))
    return " ".join(words) + repeat_imports()


def replay(recipe: Recipe, history: list[dict[str, Any]]) -> Recipe:
    """Return a recipe with the changes of a history."""
    table = recipe.to_dict()
    for line in history:
        for name, (_, value) in line["changes"].items():
            part, dot, argument = name.partition(".")
            if dot:
                table[part] = table[part] | {argument: value}
            else:
                table[name] = value
    return Recipe.from_dict(table)


def read_history(run: Path) -> list[dict[str, Any]]:
    """Return the changes of a run, oldest first; each line has ``images`` and ``changes``.

    Raises:
        CheckpointError: a line has no table of changes.
    """
    file = run / HISTORY
    if file.is_dir():
        raise _damaged(run, "it is a folder")
    lines = read_lines(file)
    if wrong := [line for line in lines if not _is_change(line)]:
        raise _damaged(
            run,
            f"the line {shorten(json.dumps(wrong[0]), 100)} has no table of two values for each "
            "field",
        )
    return lines


def check_history(run: Path, history: Sequence[dict[str, Any]], recipe: Recipe) -> None:
    """Check that a history leads to the recipe of a run's checkpoint.

    Args:
        run: the run's folder.
        history: the changes before the checkpoint.
        recipe: the recipe of the checkpoint.

    Raises:
        CheckpointError: a change differs from the recipe or has no valid recipe before it, or the
            changes are not in order.
    """
    numbers = [line["images"] for line in history]
    if numbers != sorted(numbers):
        raise _damaged(run, f"its changes come after {numbers} images, which are not in order")
    for line in reversed(history):
        after = _flat(recipe)
        for field, (_, value) in line["changes"].items():
            if field not in after or json.dumps(after[field]) != json.dumps(value):
                actual = f"is {after[field]!r}" if field in after else "does not exist"
                raise _damaged(
                    run, f"it says that {field} became {shorten(repr(value), 100)}, but it {actual}"
                )
        former = {
            field: (value, before)
            for field, (before, value) in line["changes"].items()
            if before is not None  # an argument that the plugin did not have
        }
        try:
            recipe = replay(recipe, [{"changes": former}])
        except RecipeError as error:
            raise _damaged(run, str(error).removesuffix(".")) from error


def extend_history(
    history: list[dict[str, Any]], images_seen: int, trained: Recipe, recipe: Recipe
) -> list[dict[str, Any]]:
    """Return the history of a run that continues with a recipe.

    Args:
        history: the history so far. Lines from `images_seen` on are replaced, since the run
            continues before them.
        images_seen: images that the run has seen.
        trained: the recipe up to there.
        recipe: the recipe from there on.
    """
    earlier = [line for line in history if line["images"] < images_seen]
    changes = {k: list(v) for k, v in differences(trained, recipe).items() if k not in _TEXTS}
    return earlier + ([{"images": images_seen, "changes": changes}] if changes else [])


def write_history(run: Path, history: Sequence[dict[str, Any]]) -> None:
    """Write the history of a run, if it has one.

    Raises:
        OutputError: the file cannot be written.
    """
    if history or (run / HISTORY).is_file():
        write_file(run / HISTORY, "".join(json.dumps(line) + "\n" for line in history))


def lengthened(history: Sequence[dict[str, Any]]) -> bool:
    """Return whether the number of images of the run changed."""
    return any("images" in line["changes"] for line in history)


def name_length_schedules(prepared: Prepared) -> str:
    """Return the settings that follow the length of the whole run; empty if none does."""
    recipe, names = prepared.recipe, []
    if recipe.optimizer.decay_start < 1:
        names.append("--optimizer.decay-start")
    if recipe.ema_ramp == "cosine" and recipe.ema_halflife:
        names.append("--ema-ramp cosine")
    if prepared.state.loss.follows_length:
        names.append(f"--loss {recipe.loss.name}")
    return " and ".join(names)


def _flat(recipe: Recipe) -> dict[str, Any]:
    """Return the fields of a recipe by option, with the defaults that its components omit."""
    table = json.loads(json.dumps(recipe.to_dict() | _with_defaults(recipe)))  # tuples as lists
    flat: dict[str, Any] = {}
    for name, value in table.items():
        if isinstance(value, dict) and name != "learning_rates":
            flat |= {f"{name}.{argument}": v for argument, v in value.items()}
        else:
            flat[name] = value
    return flat


def _with_defaults(recipe: Recipe) -> dict[str, dict[str, Any]]:
    """Return the tables of the components whose arguments are known, with all of them."""
    tables = {}
    for kind, registry in _REGISTRIES.items():
        component = getattr(recipe, kind)
        with contextlib.suppress(GanzooError):
            arguments = arguments_of(registry.get(component.name))
            omitted = {name: a.default for name, a in arguments.items() if a.omits_default}
            tables[kind] = omitted | component.arguments | {"name": component.name}
    return tables


def _options(fields: list[str]) -> str:
    """Return the options of fields; of another component, only that of its name."""
    others = {kind for kind in _REGISTRIES if f"{kind}.name" in fields}
    names = [field for field in fields if field.partition(".")[0] not in others]
    return enumerate_names(f"--{name.replace('_', '-')}" for name in (*others, *names))


def _as_options(before: Recipe, after: Recipe) -> list[str]:
    """Return the options that turn a recipe into another one."""
    fields = differences(before, after)
    options = []
    for kind, registry in _REGISTRIES.items():
        if f"{kind}.name" in fields:  # the new component starts with its defaults
            component = getattr(after, kind)
            defaults = arguments_of(registry.get(component.name))
            fields = {field: v for field, v in fields.items() if field.partition(".")[0] != kind}
            fields |= {
                f"{kind}.{name}": (defaults[name].default, value)
                for name, value in component.arguments.items()
                if value != defaults[name].default
            }
            options.append(as_option(kind, component.name))
    return options + [as_option(k, value) for k, (_, value) in fields.items() if k not in _TEXTS]


def _is_change(line: Mapping[str, Any]) -> bool:
    changes = line.get("changes")
    return isinstance(changes, dict) and all(
        isinstance(pair, list) and len(pair) == 2 for pair in changes.values()
    )


def _damaged(run: Path, reason: str) -> CheckpointError:
    return CheckpointError(
        f"{run / HISTORY}, which says how the recipe of the run changed, is damaged: {reason}. "
        "Restore it."
    )
