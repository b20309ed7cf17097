"""Command-line options of a recipe: one for each field and each argument of a component."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import inspect
import itertools
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import tyro

from ganzoo.cli.arguments import PARSING, Text, helps_of
from ganzoo.errors import GanzooError, RecipeError, did_you_mean, enumerate_names
from ganzoo.registry import COMPONENTS, find_recipe
from ganzoo.registry.signatures import arguments_of, check
from ganzoo.spec import Component, Optimizer, Recipe
from ganzoo.system.terminal import escaped_output, print_error
from ganzoo.training import RunOptions
from ganzoo.training.overrides import rename

NOT_OPTIONS = ("progress",)  # of RunOptions: the command line always shows it


@dataclass(frozen=True, kw_only=True)
class TrainOptions(RunOptions):
    """The options of ``ganzoo train RECIPE`` that are not part of the recipe.

    Attributes:
        out: the run's folder, which must not exist; by default runs/NAME.
        init_from: start from the weights of a model, as far as they fit: a name, the folder of a
            bundle or run, or hf://org/repo. docs/fine-tuning.md has the rules.
        dry_run: build and check everything, print the plan, write nothing.
    """

    out: Path | None = None
    init_from: str | None = None
    dry_run: bool = False


@dataclass(frozen=True, kw_only=True)
class ResumeOptions(RunOptions):
    """The options of ``ganzoo train --resume DIR`` that are not part of the recipe.

    Attributes:
        resume: the run's folder.
        change: allow options that change what the run learns, such as --optimizer.lr.
    """

    resume: Path
    change: bool = False


def parse_resume(args: Sequence[str], prog: str) -> tuple[Recipe | None, ResumeOptions]:
    """Parse ``--resume DIR [--option value ...]``.

    Returns:
        The recipe with the options, or None if they change no field of it; and the other options.

    Raises:
        RecipeError: a value is out of its range.
        SystemExit: help was requested, or an option does not exist.
    """
    schema = dataclasses.make_dataclass("Options", _run_fields(ResumeOptions), kw_only=True)
    summary = "Continue a run from its newest checkpoint."
    chosen: Any
    chosen, others = tyro.cli(
        schema,
        args=list(args),
        prog=prog,
        description=summary,
        return_unknown_args=True,
        **PARSING,
    )
    options = ResumeOptions(**vars(chosen))
    file = options.resume / "recipe.toml"
    # Only the first process of a training reads the run's files.
    if not others or os.environ.get("RANK", "0") != "0" or not file.is_file():
        return None, options
    return _parse_fields(find_recipe(str(file)), others, prog, [])[0], options


def keywords_of(options: RunOptions) -> dict[str, Any]:
    """Return the options as keyword arguments of `ganzoo.train` and `ganzoo.resume`."""
    return {field.name: getattr(options, field.name) for field in dataclasses.fields(RunOptions)}


def parse_recipe(args: Sequence[str], prog: str) -> tuple[Recipe, TrainOptions]:
    """Parse ``RECIPE [--option value ...]``.

    Raises:
        UnknownNameError, BrokenPluginError, RecipeError: the recipe or a component does not exist
            or cannot be loaded, or a value is out of its range.
        SystemExit: the arguments hold ``--help`` or an unknown option.
    """
    run_fields = _run_fields(TrainOptions)
    original = find_recipe(args[0])
    recipe, values = _parse_fields(original, args[1:], f"{prog} {args[0]}", run_fields)
    is_typed = any(arg.partition("=")[0] == "--name" for arg in args)
    if recipe.name != original.name and not is_typed and os.environ.get("RANK", "0") == "0":
        print_error(f"name: {recipe.name}, after the new components. --name NAME states another.")
    return recipe, TrainOptions(**values)


def recipe_schema(name: str) -> type[Any]:
    """Return a dataclass of the arguments of ``ganzoo train``, with the options of one recipe."""
    recipe = find_recipe(name)
    factories = {r.kind: r.get(getattr(recipe, r.kind).name) for r in COMPONENTS}
    fields = [("recipe", Text, name), *_run_fields(TrainOptions), ("resume", Path | None, None)]
    return dataclasses.make_dataclass("Options", fields + _fields(recipe, factories), kw_only=True)


def _parse_fields(
    original: Recipe, args: Sequence[str], prog: str, others: list[tuple[str, Any, Any]]
) -> tuple[Recipe, dict[str, Any]]:
    """Parse options of the recipe's fields; return the recipe, and the values of the others."""
    preset = _with_components(original, args)
    factories = {r.kind: r.get(getattr(preset, r.kind).name) for r in COMPONENTS}
    _check_ada(args)
    _check_components(args, preset, factories)
    schema = dataclasses.make_dataclass("Options", others + _fields(preset, factories))
    with escaped_output():  # the help shows texts of the recipe and of plugins
        options: Any = tyro.cli(
            schema,
            args=list(args),
            prog=prog,
            description=preset.description,
            **PARSING,
        )
    values = {f.name: getattr(options, f.name) for f in dataclasses.fields(schema)}
    values_of_others = {field[0]: values.pop(field[0]) for field in others}
    for kind in factories:
        arguments = dataclasses.asdict(values.pop(f"{kind}_arguments"))
        values[kind] = Component(values[kind], arguments)
    try:
        values["optimizer"] = Optimizer(**vars(values["optimizer"]))
        return rename(dataclasses.replace(preset, **values), original), values_of_others
    except ValueError as error:
        raise RecipeError(_as_typed(f"{error}.", preset)) from error


@contextlib.contextmanager
def typed_names(recipe: Recipe) -> Iterator[None]:
    """Name the fields of a recipe as options in the errors of a block: ``--ema-halflife``."""
    try:
        yield
    except GanzooError as error:
        error.args = (_as_typed(str(error), recipe),)
        raise


def _as_typed(message: str, recipe: Recipe) -> str:
    """Return an error message with options instead of the names of fields in Python.

    A name without an underscore, such as ``images``, is also a word. It is a field before "=", in
    "Set images to", and before "is" at the start of the message or after a colon.
    """
    paths = [field.name for field in dataclasses.fields(Recipe)]
    paths += [f"optimizer.{field.name}" for field in dataclasses.fields(Optimizer)]
    for registry in COMPONENTS:
        if message.startswith(f"{registry.kind} {getattr(recipe, registry.kind).name!r}"):
            arguments = arguments_of(registry.get(getattr(recipe, registry.kind).name))
            paths = [f"{registry.kind}.{name}" for name in arguments]
    for path in paths:
        option = f"--{path.replace('_', '-')}"
        for name in dict.fromkeys((path, path.rpartition(".")[2])):
            if name not in message:  # torchrun may end this process before a slow error is printed
                continue
            word = rf"(?<![\w./'\"=-]){re.escape(name)}(?![\w/'\"-]|\.\w)"
            if "_" not in name and "." not in name:
                word = rf"{word}(?==)|(?<=[Ss]et ){word}(?= to )|(?:^|(?<=: )){word}(?= is )"
            message = re.sub(word, option, message)
    return re.sub(r"(?:^|(?<=: ))learning_rates\.(?=\w+ is )", "--learning-rates ", message)


def _with_components(preset: Recipe, args: Sequence[str]) -> Recipe:
    """Replace the components that the options name: they define further options."""
    scan = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for registry in COMPONENTS:
        scan.add_argument(f"--{registry.kind}")
    named = {k: v for k, v in vars(scan.parse_known_args(args)[0]).items() if v is not None}
    changed: dict[str, Any] = {
        k: Component(v) for k, v in named.items() if v != getattr(preset, k).name
    }
    return dataclasses.replace(preset, **changed)


def _check_ada(args: Sequence[str]) -> None:
    """End with an error that names --loss.ada if ADA is the value of another option.

    Raises:
        SystemExit: it is.
    """
    for place, arg in enumerate(args):
        option, _, value = arg.partition("=")
        values = itertools.takewhile(lambda text: not text.startswith("-"), args[place + 1 :])
        if option in ("--augmentation", "--loss.augmentation") and "ada" in (value, *values):
            print_error(
                f"error: 'ada' is not a value of {option}: adaptive augmentation has an option of "
                "its own. Use --loss.ada."
            )
            raise SystemExit(2)


def _check_components(args: Sequence[str], preset: Recipe, factories: Mapping[str, Any]) -> None:
    """End with an error that names the component if it has no such option.

    Raises:
        SystemExit: it has none.
    """
    for arg in args:
        kind, dot, option = arg.partition("=")[0].removeprefix("--").partition(".")
        if not (arg.startswith("--") and dot and kind in factories):
            continue
        name = getattr(preset, kind).name
        known = [key.replace("_", "-") for key in arguments_of(factories[kind])]
        if option.replace("_", "-").removeprefix("no-") in known:
            continue
        remedy = did_you_mean(option, known, f"--{kind}.")
        if kind == "dataset" and name != "folder":
            remedy += " For your own image files, add --dataset folder --data DIR."
        print_error(
            f"error: the {kind} here is {name!r}, which has no option --{kind}.{option}.{remedy} "
            f"Its options: {enumerate_names(f'--{kind}.{key}' for key in known)}."
        )
        raise SystemExit(2)


def _fields(preset: Recipe, factories: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    fields: list[tuple[str, Any, Any]] = []
    hints, helps = get_type_hints(Recipe), _name_options(helps_of(Recipe))
    hint: Any
    for field in dataclasses.fields(Recipe):
        value = getattr(preset, field.name)
        help_ = helps.get(field.name, "")
        if field.name in factories:
            fields += _component(field.name, value, factories[field.name], help_)
        elif field.name == "optimizer":
            schema = _unchecked(value)
            hint = Annotated[schema, tyro.conf.arg(help=help_)]
            fields.append((field.name, hint, dataclasses.field(default_factory=schema)))
        else:
            hint = Annotated[hints[field.name], tyro.conf.arg(help=help_)]
            fields.append((field.name, hint, _default(value)))
    return fields


def _name_options(helps: dict[str, str], prefix: str = "") -> dict[str, str]:
    """Return helps with options instead of fields in backticks: ``--optimizer.lr``."""
    names = {*helps, "optimizer.lr", "checkpoint_every"} if not prefix else {*helps}

    def replace(match: re.Match[str]) -> str:
        option = match[1].replace("_", "-")
        return f"--{prefix}{option}" if match[1] in names else match[0]

    return {name: re.sub(r"`([\w.]+)`", replace, text) for name, text in helps.items()}


def _run_fields(owner: type[RunOptions]) -> list[tuple[str, Any, Any]]:
    hints, helps = get_type_hints(owner), _name_options(helps_of(RunOptions) | helps_of(owner))
    return [
        (
            field.name,
            Annotated[hints[field.name], tyro.conf.arg(help=helps[field.name])],
            dataclasses.field(default=field.default),
        )
        for field in dataclasses.fields(owner)
        if field.name not in NOT_OPTIONS
    ]


def _component(
    kind: str, component: Component, factory: Any, help_: str
) -> list[tuple[str, Any, Any]]:
    name = Annotated[str, tyro.conf.arg(help=help_, metavar="NAME")]
    bound = check(kind, component.name, factory, component.arguments)
    helps = _name_options(helps_of(factory), f"{kind}.")
    arguments = []
    for argument in arguments_of(factory).values():
        value = bound.get(argument.name, argument.default)
        help_ = helps.get(argument.name, "")
        hint: Any = Annotated[argument.annotation, tyro.conf.arg(help=help_)]
        arguments.append(
            (argument.name, hint)
            if value is inspect.Parameter.empty
            else (argument.name, hint, _default(value))
        )
    schema = dataclasses.make_dataclass(f"{kind.title()}Arguments", arguments)
    conf = tyro.conf.arg(name=kind, help=f"Arguments of {component.name}.")
    nested = Annotated[schema, conf]  # type: ignore[valid-type]
    required = any(len(argument) == 2 for argument in arguments)
    default = tyro.MISSING if required else dataclasses.field(default_factory=schema)
    return [(kind, name, component.name), (f"{kind}_arguments", nested, default)]


def _unchecked(settings: Optimizer) -> Any:
    """Return a dataclass of the same fields, whose values are checked later."""
    hints, helps = get_type_hints(Optimizer), helps_of(Optimizer)
    return dataclasses.make_dataclass(
        "OptimizerArguments",
        [
            (name, Annotated[hints[name], tyro.conf.arg(help=helps[name])], _default(value))
            for name, value in vars(settings).items()
        ],
    )


def _default(value: Any) -> Any:
    return dataclasses.field(default_factory=lambda: value)
