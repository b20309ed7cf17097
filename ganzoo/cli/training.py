"""Train a recipe, or resume a run."""

from __future__ import annotations

import contextlib
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganzoo.cli.arguments import Text
from ganzoo.errors import UnknownNameError, quantity, shell_word
from ganzoo.registry.own_file import repeat_imports
from ganzoo.system.terminal import print_error, print_out

if TYPE_CHECKING:
    from ganzoo.cli.options import TrainOptions
    from ganzoo.spec import Recipe


def train(recipe: Text = "RECIPE", /) -> None:
    """Train a recipe. 'ganzoo train RECIPE --help' shows its options.

    Args:
        recipe: name of a recipe ('ganzoo list --kind recipes') or a TOML file.
    """
    raise AssertionError("`main` calls `run_train`, since the options depend on the recipe")


_TRAIN_USAGE = """\
usage: ganzoo train RECIPE [OPTIONS]            start a run
       ganzoo train RECIPE --help               show the options of a recipe
       ganzoo train RECIPE --dry-run            show the plan, and write nothing
       ganzoo train --resume DIR [OPTIONS]      resume a run, or lengthen it: --images 500000
       ganzoo train ... --import FILE.py        with components that your own file registers

RECIPE is a name or a TOML file. Each of its fields is an option, for example:
  --architecture mlp --architecture.width 256 --loss wgan-gp --dataset digits
  --images 20000 --batch-size 32 --optimizer.lr 1e-4 --data DIR --out DIR

recipes: """


def run_train(args: list[str]) -> int:
    """Run `ganzoo train` and return its exit status.

    Args:
        args: the arguments after ``train``.
    """
    if not args or args[0] in ("-h", "--help"):
        from ganzoo.registry import recipes

        print_out(_TRAIN_USAGE + ", ".join(recipes.names()))
        return 0
    resuming = any(arg == "--resume" or arg.startswith("--resume=") for arg in args)
    if resuming and not args[0].startswith("-"):
        print_error(
            "error: --resume uses the recipe of the run, so no other recipe is allowed. "
            "Use: ganzoo train --resume DIR"
        )
        return 2
    if resuming:
        return _resume(args)
    if args[0].startswith("-"):
        print_error(
            "error: the recipe is missing; it comes before all options. "
            f"Use: ganzoo train RECIPE {args[0]} ..."
        )
        return 2
    from ganzoo.cli.options import parse_recipe, typed_names

    recipe, options = parse_recipe(args, "ganzoo train")
    with typed_names(recipe):
        return _train(recipe, options, args)


def _train(recipe: Recipe, options: TrainOptions, args: list[str]) -> int:
    from ganzoo import training
    from ganzoo.cli.options import keywords_of
    from ganzoo.data.cache import CacheOptions

    if options.dry_run:
        with training.join() as group:
            folder = options.out or Path("runs", recipe.name)
            prepared = training.prepare(
                recipe,
                data=options.data,
                device=options.device,
                init_from=options.init_from,
                group=group,
                cache=CacheOptions.of(options.cache, folder, writes=False),
            )
            text = training.plan(prepared)
            duration = training.describe_duration(prepared)
            if group.first:
                training.warn_of_random_layers(prepared)
                print_out(f"{text}\n  time        {duration}\n\n{prepared.recipe.to_toml()}")
                start = shlex.join(arg for arg in args if arg != "--dry-run")
                print_out(
                    "# Nothing is written. This starts the training:\n"
                    f"# ganzoo train {start}{repeat_imports()}"
                )
        return 0
    run = training.train(
        recipe, out=options.out, init_from=options.init_from, **keywords_of(options)
    )
    return _report_run(run, recipe.images)


def _resume(args: list[str]) -> int:
    from ganzoo import training
    from ganzoo.cli.options import keywords_of, parse_resume, typed_names
    from ganzoo.spec import Recipe

    try:
        recipe, options = parse_resume(args, "ganzoo train")
        with typed_names(recipe) if recipe else contextlib.nullcontext():
            run = training.resume(
                options.resume, recipe=recipe, change=options.change, **keywords_of(options)
            )
    except UnknownNameError as error:
        raise UnknownNameError(
            f"{error} If the run was trained with a file of yours, add --import FILE.py."
        ) from None
    return _report_run(run, Recipe.from_toml(run.path / "recipe.toml").images)


def _report_run(run: Any, images: int) -> int:
    if os.environ.get("RANK", "0") != "0":
        return 0
    if not run.finished:
        reason = "time limit reached" if run.ended == "time" else "stopped"
        print_error(
            f"{reason} after {run.images_seen:,} of {quantity(images, 'image')}; the run is saved. "
            "Resume with\n"
            f"  ganzoo train --resume {shell_word(run.path)}{repeat_imports()}"
        )
        return 0 if run.ended == "time" else 130
    from ganzoo import plots

    plots.draw_run(run.path)
    if run.images_seen > run.resumed_at:
        print_out(f"trained on {quantity(run.images_seen, 'image')}: {run.path}")
    print_out(
        f"  samples   {run.path / 'samples'}\n"
        f"  plots     {run.path / plots.PLOTS}\n"
        f"  model     {run.bundle}\n"
        f"next: ganzoo export {shell_word(run.path)}{repeat_imports()}"
    )
    return 0
