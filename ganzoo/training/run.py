"""The folder a training writes: recipe, log, samples, checkpoints, bundle."""

from __future__ import annotations

import math
import os
import sys
import time
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

from ganzoo.bundle.files import reporting_output, write_file
from ganzoo.durations import parse_duration
from ganzoo.errors import (
    CheckpointError,
    GanzooError,
    NonFiniteLossError,
    RecipeError,
    RunExistsError,
    RunNotFoundError,
)
from ganzoo.registry import find_recipe
from ganzoo.spec import Recipe
from ganzoo.training.build import complete
from ganzoo.training.checkpoint import load_checkpoint, share_checkpoint
from ganzoo.training.distributed import Group, join, launch, reporting_loss, restarted
from ganzoo.training.evaluation import METRICS, evaluate
from ganzoo.training.jsonl import cut_back
from ganzoo.training.lock import LOCK, sole_user
from ganzoo.training.loop import run_ticks
from ganzoo.training.preparation import Prepared, plan, prepare
from ganzoo.training.reporter import RunReporter
from ganzoo.training.retention import BEST, BUNDLE, keep, keep_best_by_log, keep_best_by_metric
from ganzoo.training.signals import stop_on_signal
from ganzoo.training.tracker import Tracker
from ganzoo.training.tracking import create_trackers

ENDS: tuple[Literal["finished", "time", "signal"], ...] = ("finished", "time", "signal")
LAUNCH = ".launch"  # names the launch of torchrun that began a run


@dataclass(frozen=True)
class Run:
    """The folder of a training.

    Attributes:
        path: the folder.
        images_seen: images it has been trained on.
        ended: by what: all images seen (``finished``), Ctrl-C or SIGTERM (``signal``), or
            `max_time` (``time``).
    """

    path: Path
    images_seen: int
    ended: Literal["finished", "signal", "time"]

    @property
    def finished(self) -> bool:
        """Whether it has seen all its images."""
        return self.ended == "finished"

    @property
    def bundle(self) -> Path:
        """The averaged generator, and what else the loss exports, as of the last checkpoint."""
        return self.path / BUNDLE

    @property
    def best(self) -> Path:
        """The bundle of the checkpoint that the recipe's `keep_best` chose, where it has one."""
        return self.path / BEST


@dataclass(frozen=True)
class _RunOptions:
    """How a run goes on in this process, which changes nothing that is trained."""

    seconds: float
    progress: bool
    monitors: bool
    trackers: dict[str, Tracker]

    @classmethod
    def of(
        cls,
        max_time: str | None,
        progress: bool,
        monitors: Literal["on", "off"],
        tensorboard: Literal["auto", "on", "off"],
        trackers: Sequence[str],
    ) -> _RunOptions:
        seconds = parse_duration(max_time) if max_time else math.inf
        return cls(seconds, progress, monitors == "on", create_trackers(trackers, tensorboard))


def train(
    recipe: Recipe | str | Path,
    *,
    data: str | Path | None = None,
    out: str | Path | None = None,
    device: str | torch.device | None = None,
    max_time: str | None = None,
    progress: bool = True,
    monitors: Literal["on", "off"] = "on",
    tensorboard: Literal["auto", "on", "off"] = "auto",
    trackers: Sequence[str] = (),
) -> Run:
    """Train a recipe.

    Ctrl-C or SIGTERM saves a checkpoint and returns a run that `resume` continues; a second one
    ends at once, and the run goes on from its last checkpoint.

    Args:
        recipe: a recipe, its registered name, or the path of its TOML file.
        data: where the dataset lies; by default the environment variable GANZOO_DATA.
        out: the run's folder, which must not exist; by default ``runs/<name>``.
        device: by default CUDA where there is a GPU, else the CPU.
        max_time: stop as for Ctrl-C after so long in this call: ``3h``, ``90m``, ``1h30m``.
        progress: whether to show a progress line on standard error.
        monitors: whether to look for mode collapse, a discriminator that has won or lost,
            exploding gradients and learning rates that move nothing, and to warn of them on
            standard error and in the log. They change nothing that is trained.
        tensorboard: whether to write the folder ``tensorboard`` of the run, for ``tensorboard
            --logdir``; ``auto`` where it is installed.
        trackers: registered names of further trackers that log the run. One that fails is warned
            of and switched off.

    Raises:
        ExtractorError: what its samples are to be evaluated with is not to be had.
        MissingExtraError: TensorBoard is on and not installed.
        RecipeError, UnknownNameError, IncompatibleCombinationError, ArchitectureError: it
            cannot be built.
        DataNotFoundError, DataError: its data is not there or cannot be used.
        RunExistsError, OutputError: its folder exists or cannot be written.
        NonFiniteLossError: a loss became NaN or infinite; the last checkpoint is kept.
    """
    recipe = recipe if isinstance(recipe, Recipe) else find_recipe(recipe)
    path = Path(out) if out is not None else Path("runs") / recipe.name
    options = _RunOptions.of(max_time, progress, monitors, tensorboard, trackers)
    with join() as group:
        if group.most(group.first and restarted() and _is_of_this_launch(path)):
            with sole_user(path, group):
                return _go(path, _restore(path, data, device, group), options)
        if group.first:
            _check_new(path)
        prepared = prepare(recipe, data=data, device=device, group=group)
        with sole_user(path, group):
            if group.first:
                _check_new(path)
                write_file(path / "recipe.toml", prepared.recipe.to_toml())
                if group.size > 1:
                    write_file(path / LAUNCH, launch())
            return _go(path, prepared, options)


def _is_of_this_launch(path: Path) -> bool:
    """Whether a process in whose place this one was started began the run."""
    file = path / LAUNCH
    return file.is_file() and file.read_text(encoding="utf-8") == launch()


def _check_new(path: Path) -> None:
    """Refuse a folder that holds anything but the lock of one who only looked."""
    with reporting_output(path):
        if path.is_file():
            raise RunExistsError(f"{path} is a file. Choose a folder for the run with --out DIR.")
        if path.exists() and any(file.name != LOCK for file in path.iterdir()):
            raise RunExistsError(
                f"the run folder {path} exists already. Choose another with --out DIR, or continue "
                f"it: ganzoo train --resume {path}"
            )


def resume(
    path: str | Path,
    *,
    data: str | Path | None = None,
    device: str | torch.device | None = None,
    max_time: str | None = None,
    progress: bool = True,
    monitors: Literal["on", "off"] = "on",
    tensorboard: Literal["auto", "on", "off"] = "auto",
    trackers: Sequence[str] = (),
) -> Run:
    """Continue a run from its newest checkpoint.

    A damaged checkpoint is warned of and set aside, for the one before it. On the CPU the weights
    are then, bit for bit, those of a run that was never interrupted, if as many threads compute.

    Args:
        path: the run's folder.
        data: where the dataset lies now; by default where it lay.
        device: as in `train`.
        max_time: as in `train`.
        progress: as in `train`.
        monitors: as in `train`.
        tensorboard: as in `train`; it continues in the same folder.
        trackers: as in `train`.

    Raises:
        RunNotFoundError: no run there.
        RunExistsError: another process is training it.
        CheckpointError: no checkpoint is whole; another recipe or other data than it began with.
        DataNotFoundError, NonFiniteLossError, OutputError, ...: as `train`.
    """
    path = Path(path)
    options = _RunOptions.of(max_time, progress, monitors, tensorboard, trackers)
    with join() as group:
        if group.first and not (path / "recipe.toml").is_file():
            raise RunNotFoundError(
                f"{path} is no run: it holds no recipe.toml. `ganzoo train RECIPE` starts one."
            )
        with sole_user(path, group):
            return _go(path, _restore(path, data, device, group), options)


def _restore(
    path: Path, data: str | Path | None, device: str | torch.device | None, group: Group
) -> Prepared:
    """Take a run up where its newest checkpoint left it; the first process alone reads it."""
    file = path / "recipe.toml"
    stated = Recipe.from_toml(file).to_toml() if group.first else ""
    recipe = Recipe.from_dict(tomllib.loads(group.tell(stated.encode()).decode()), where=str(file))
    found = load_checkpoint(path / "checkpoints") if group.first else None
    checkpoint = share_checkpoint(found, group)
    if checkpoint is None:  # stopped before the first one: begin again
        return prepare(recipe, data=data, device=device, group=group)
    prepared = prepare(recipe, data=data or checkpoint["data_root"], device=device, group=group)
    # Compared as they are completed today: since then a plugin may have got another argument.
    trained = Recipe.from_dict(tomllib.loads(checkpoint["recipe"]), where="its checkpoint")
    if complete(trained) != prepared.recipe:
        raise CheckpointError(
            f"{path / 'recipe.toml'} is not the recipe that its checkpoint was trained by. Put it "
            "back, or start a new run with the changed one."
        )
    if not prepared.batches.matches(checkpoint["data_fingerprint"]):
        raise CheckpointError(
            f"the data at {prepared.root} is not what {path} was trained on. Say where that lies "
            "with --data DIR."
        )
    prepared.state.load_state_dict(checkpoint["state"])
    prepared.batches.position = checkpoint["batches_drawn"]
    return prepared


def _go(path: Path, prepared: Prepared, options: _RunOptions) -> Run:
    recipe, state = prepared.recipe, prepared.state
    group = state.group
    if options.progress and group.first:
        print(plan(prepared), file=sys.stderr)
        if recipe.compile:
            print("compiling: the first ticks take from ten seconds to minutes", file=sys.stderr)
    if group.first:
        cut_back(path / METRICS, state.images_seen)
    reporter = RunReporter(
        path,
        prepared,
        progress=options.progress,
        monitors=options.monitors,
        trackers=options.trackers,
    )
    began = clock = time.perf_counter()
    ended: Literal["finished", "time", "signal"] = "finished"

    def due(every: int) -> bool:
        before = state.images_seen - recipe.batch_size
        return every > 0 and state.images_seen // every > before // every

    with (
        stop_on_signal() as asked_to_stop,
        _deterministic(recipe.deterministic),
        _explaining(path),
        closing(reporter),
        reporting_loss(),
    ):

        def report() -> bool:
            nonlocal clock, ended
            now = time.perf_counter()
            state.seconds, clock = state.seconds + now - clock, now
            if state.images_seen < recipe.images:
                ended = ENDS[group.most(2 if asked_to_stop() else now - began >= options.seconds)]
            finished = state.images_seen >= recipe.images
            last = ended != "finished" or finished
            log_due, sample_due, save_due = (
                last or due(every)
                for every in (recipe.log_every, recipe.sample_every, recipe.checkpoint_every)
            )
            evaluate_due = recipe.evaluate_every > 0 and (finished or due(recipe.evaluate_every))
            if log_due or sample_due or save_due or evaluate_due:
                # Refuses a loss that is not finite before anything is drawn or saved.
                reporter.report()
            if sample_due and group.first:
                reporter.show()
            if evaluate_due and group.first:
                figures = evaluate(path, prepared)
                reporter.show_metrics(figures)
                keep_best_by_metric(path, prepared, figures["metrics"])
            if save_due and group.first:
                keep(path, prepared)
                # Not where it was interrupted, so that the best does not depend on that.
                if finished or due(recipe.checkpoint_every):
                    keep_best_by_log(path, prepared)
            return not last

        log = reporter.log
        run_ticks(
            state, prepared.batches, log_term=log.log_term, log_metric=log.log_metric, report=report
        )
    return Run(path, state.images_seen, ended)


@contextmanager
def _deterministic(wanted: bool) -> Iterator[None]:
    """Allow only algorithms that always give the same bits."""
    if not wanted:
        yield
        return
    # cuBLAS reads this when it is first used.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    before = torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.benchmark
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = False
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0])
        torch.backends.cudnn.benchmark = before[1]


@contextmanager
def _explaining(path: Path) -> Iterator[None]:
    """Add to an error during training what is saved and how to go on."""
    try:
        yield
    except GanzooError as error:
        saved = sorted((path / "checkpoints").glob("*.safetensors"))
        kept = f" The last good checkpoint is {saved[-1]}." if saved else ""
        advice = (
            " A lower --optimizer.lr, another --loss or --precision fp32 may help."
            if isinstance(error, NonFiniteLossError)
            else f" ganzoo train --resume {path} continues the run."
        )
        raise type(error)(f"{error}{kept}{advice}") from error
    except RuntimeError as error:
        if "deterministic" not in str(error):
            raise
        raise RecipeError(
            f"{str(error).splitlines()[0][:200]} A new run without --deterministic can do it."
        ) from error
