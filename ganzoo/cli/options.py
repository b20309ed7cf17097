"""Command-line options of a recipe: one for each field and each argument of a component."""

from __future__ import annotations

import argparse
import dataclasses
import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import tyro

from ganzoo.cli.arguments import helps_of
from ganzoo.errors import RecipeError
from ganzoo.registry import COMPONENTS, find_recipe
from ganzoo.registry.names import parse_registered
from ganzoo.registry.signatures import arguments_of, check
from ganzoo.spec import Component, Recipe
from ganzoo.system.terminal import escaped_output
from ganzoo.training import RunOptions

NOT_OPTIONS = ("progress",)  # of RunOptions: the command line always shows it


@dataclass(frozen=True, kw_only=True)
class TrainOptions(RunOptions):
    """The options of ``ganzoo train RECIPE`` that are not part of the recipe.

    Attributes:
        out: the run's folder, which must not exist; by default runs/NAME.
        dry_run: build and check everything, print the plan, write nothing.
    """

    out: Path | None = None
    dry_run: bool = False


@dataclass(frozen=True, kw_only=True)
class ResumeOptions(RunOptions):
    """The options of ``ganzoo train --resume DIR``.

    Attributes:
        resume: the run's folder.
    """

    resume: Path


def parse_resume(args: Sequence[str], prog: str) -> ResumeOptions:
    """Parse ``--resume DIR [--option value ...]``.

    Raises:
        RecipeError: a value is out of its range.
        SystemExit: help was requested, or an option does not exist.
    """
    schema = dataclasses.make_dataclass("Options", _run_fields(ResumeOptions), kw_only=True)
    summary = "Continue a run from its newest checkpoint."
    chosen: Any = tyro.cli(schema, args=list(args), prog=prog, description=summary)
    return ResumeOptions(**vars(chosen))


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
    original = find_recipe(args[0])
    preset = _with_components(original, args[1:])
    factories = {r.kind: r.get(getattr(preset, r.kind).name) for r in COMPONENTS}
    schema = dataclasses.make_dataclass("Options", _fields(preset, factories))
    with escaped_output():  # the help shows texts of the recipe and of plugins
        options: Any = tyro.cli(
            schema,
            args=list(args[1:]),
            prog=f"{prog} {args[0]}",
            description=preset.description,
            config=(tyro.conf.FlagCreatePairsOff,),
        )
    values = {f.name: getattr(options, f.name) for f in dataclasses.fields(schema)}
    run = TrainOptions(**{field[0]: values.pop(field[0]) for field in _run_fields(TrainOptions)})
    for kind in factories:
        arguments = dataclasses.asdict(values.pop(f"{kind}_arguments"))
        values[kind] = Component(values[kind], arguments)
    try:
        return _rename(dataclasses.replace(preset, **values), original, factories), run
    except ValueError as error:
        raise RecipeError(f"{error}.") from error


def _rename(recipe: Recipe, original: Recipe, factories: dict[str, Any]) -> Recipe:
    """Replace a name or description that does not describe the recipe with its options."""
    if recipe.name == original.name and any(
        getattr(recipe, kind).name != getattr(original, kind).name for kind in factories
    ):
        names = (getattr(recipe, kind).name for kind in factories)
        name = "-".join(parse_registered(name).name for name in names)
        recipe = dataclasses.replace(recipe, name=name)
    if recipe.description == original.description:
        model, _, _ = original.description.partition(":")  # the training length follows the colon
        if _differs(recipe, original, factories):
            recipe = dataclasses.replace(recipe, description="")
        elif recipe.images != original.images:
            recipe = dataclasses.replace(recipe, description=model)
    return recipe


def _differs(recipe: Recipe, original: Recipe, factories: dict[str, Any]) -> bool:
    """Return whether the two recipes train different models."""
    for kind, factory in factories.items():
        before, now = getattr(original, kind), getattr(recipe, kind)
        defaults = {k: a.default for k, a in arguments_of(factory).items()}
        if before.name != now.name or defaults | before.arguments != now.arguments:
            return True
    return False


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


def _fields(preset: Recipe, factories: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    fields, hints, helps = _run_fields(TrainOptions), get_type_hints(Recipe), helps_of(Recipe)
    for field in dataclasses.fields(Recipe):
        value = getattr(preset, field.name)
        help_ = helps.get(field.name, "")
        if field.name in factories:
            fields += _component(field.name, value, factories[field.name], help_)
        else:
            hint: Any = Annotated[hints[field.name], tyro.conf.arg(help=help_)]
            fields.append((field.name, hint, _default(value)))
    return fields


def _run_fields(owner: type[RunOptions]) -> list[tuple[str, Any, Any]]:
    hints, helps = get_type_hints(owner), helps_of(RunOptions) | helps_of(owner)
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
    helps = helps_of(factory)
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


def _default(value: Any) -> Any:
    return dataclasses.field(default_factory=lambda: value)
