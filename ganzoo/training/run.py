"""The folder a training writes: recipe, log, samples, checkpoints, bundle."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

from ganzoo.bundle import leftovers
from ganzoo.bundle.files import reporting_output, sha256, write_file
from ganzoo.bundle.json_lines import cut_back
from ganzoo.data.run_data import FILE as DATA_FILE
from ganzoo.data.run_data import RunData
from ganzoo.data.workers import check_main_guard
from ganzoo.errors import (
    MALFORMED,
    CheckpointError,
    GanzooError,
    NonFiniteLossError,
    RecipeError,
    RunExistsError,
    RunNotFoundError,
    SampleError,
)
from ganzoo.nn import torch_defaults
from ganzoo.nn.random_numbers import own_random_numbers
from ganzoo.registry import find_recipe
from ganzoo.spec import Recipe
from ganzoo.spec.parsing import shorten
from ganzoo.system.dependencies import environment, kept_variables
from ganzoo.system.signals import stop_on_signal
from ganzoo.system.terminal import print_error
from ganzoo.training.build import complete
from ganzoo.training.checkpoint import load_checkpoint, share_checkpoint
from ganzoo.training.control import LOCK, sole_user
from ganzoo.training.distributed import Group, join, launch, reporting_loss, restarted
from ganzoo.training.evaluation import METRICS, evaluate
from ganzoo.training.loop import run_ticks
from ganzoo.training.options import AutoOnOff, OnOff, RunOptions
from ganzoo.training.preparation import plan, prepare
from ganzoo.training.prepared import Prepared
from ganzoo.training.reporter import RunReporter
from ganzoo.training.schedule import due_after_tick
from ganzoo.training.snapshot import BEST, BUNDLE, keep, keep_best_by_log, keep_best_by_metric
from ganzoo.training.tracking import Tracker, create_trackers

ENDS: tuple[Literal["finished", "time", "signal"], ...] = ("finished", "time", "signal")
RECIPE = "recipe.toml"
LAUNCH = ".launch"  # holds the id of the torchrun launch that started the run


@dataclass(frozen=True)
class Run:
    """The folder of a training.

    Attributes:
        path: the folder.
        images_seen: images that the training has seen.
        ended: why it ended: it saw all images (``finished``), Ctrl-C or SIGTERM (``signal``), or
            `max_time` (``time``).
    """

    path: Path
    images_seen: int
    ended: Literal["finished", "signal", "time"]

    @property
    def finished(self) -> bool:
        """Whether the training saw all its images."""
        return self.ended == "finished"

    @property
    def bundle(self) -> Path:
        """The bundle of the last checkpoint: the averaged networks that the loss exports."""
        return self.path / BUNDLE

    @property
    def best(self) -> Path:
        """The best bundle by the recipe's `keep_best`, if it has one."""
        return self.path / BEST


@torch_defaults()
@own_random_numbers()
def train(
    recipe: Recipe | str | Path,
    *,
    data: str | Path | None = RunOptions.data,
    out: str | Path | None = None,
    device: str | torch.device | None = RunOptions.device,
    max_time: str | None = RunOptions.max_time,
    progress: bool = RunOptions.progress,
    monitors: OnOff = RunOptions.monitors,
    tensorboard: AutoOnOff = RunOptions.tensorboard,
    trackers: Sequence[str] = RunOptions.trackers,
) -> Run:
    """Train a recipe.

    Trainings in several threads of a process run one after another: all threads share torch's
    random generators, so a program should not draw from them while another thread trains.

    Ctrl-C or SIGTERM saves a checkpoint and returns a run that `resume` continues. A second signal
    ends the process at once, and `resume` continues from the last checkpoint.

    `ganzoo.training.RunOptions` describes `data`, `device`, `max_time`, `progress`, `monitors`,
    `tensorboard` and `trackers`.

    Args:
        recipe: a recipe, its registered name, or the path of its TOML file.
        out: the run's folder, which must not exist; by default ``runs/<name>``.

    Raises:
        RecipeError, UnknownNameError, IncompatibleCombinationError, ArchitectureError: the
            networks and the loss cannot be built.
        DataNotFoundError, DataError: the data is missing or cannot be used.
        ExtractorError: the extractor for the evaluation is not available.
        MissingExtraError: `tensorboard` is on, and tensorboard is not installed.
        RunExistsError, OutputError: the run's folder exists or cannot be written.
        WorkerError: the script has no main guard, and a worker process runs it again.
        NonFiniteLossError: a loss became NaN or infinite. The last checkpoint remains.
    """
    check_main_guard()
    recipe = recipe if isinstance(recipe, Recipe) else find_recipe(recipe)
    path = Path(out) if out is not None else Path("runs") / recipe.name
    options = RunOptions.of(data, device, max_time, progress, monitors, tensorboard, trackers)
    active_trackers = create_trackers(options.trackers, options.tensorboard)
    with join() as group:
        if group.most(group.first and restarted() and _is_of_this_launch(path)):
            with sole_user(path, group):
                return _run(path, _restore(path, options, group), options, active_trackers)
        if group.first:
            _check_new(path)
        prepared = prepare(recipe, data=options.data, device=options.device, group=group)
        with sole_user(path, group):
            if group.first:
                _check_new(path)
                recipe_text = prepared.recipe.to_toml()
                _record_data(path, prepared, hashlib.sha256(recipe_text.encode()).hexdigest())
                write_file(path / RECIPE, recipe_text)  # last: it makes the folder a run
                if group.size > 1:
                    write_file(path / LAUNCH, launch())
            return _run(path, prepared, options, active_trackers)


def _is_of_this_launch(path: Path) -> bool:
    """Whether an earlier attempt of the same torchrun launch started the run."""
    file = path / LAUNCH
    return file.is_file() and file.read_text(encoding="utf-8") == launch()


def _check_new(path: Path) -> None:
    """Refuse a folder that holds more than a training leaves that is killed before it begins."""
    with reporting_output(path):
        if path.is_file():
            raise RunExistsError(f"{path} is a file. Pass a folder for the run with --out DIR.")
        beginnings = (LOCK, DATA_FILE, *(leftovers.prefix(path / n) for n in (DATA_FILE, RECIPE)))
        if path.exists() and not all(f.name.startswith(beginnings) for f in path.iterdir()):
            raise RunExistsError(
                f"the run folder {path} exists already. Pass another with --out DIR, or continue "
                f"the run: ganzoo train --resume {path}"
            )


@torch_defaults()
@own_random_numbers()
def resume(
    path: str | Path,
    *,
    data: str | Path | None = RunOptions.data,
    device: str | torch.device | None = RunOptions.device,
    max_time: str | None = RunOptions.max_time,
    progress: bool = RunOptions.progress,
    monitors: OnOff = RunOptions.monitors,
    tensorboard: AutoOnOff = RunOptions.tensorboard,
    trackers: Sequence[str] = RunOptions.trackers,
) -> Run:
    """Continue a run from its newest checkpoint.

    If a checkpoint is damaged, ganzoo warns, renames it and uses the one before it. On the CPU, and
    with the same number of threads, the weights are bit for bit those of an uninterrupted run.

    `ganzoo.training.RunOptions` describes `data`, `device`, `max_time`, `progress`, `monitors`,
    `tensorboard` and `trackers`.

    Args:
        path: the run's folder.

    Raises:
        RunNotFoundError: the folder holds no run.
        RunExistsError: another process is training the run.
        CheckpointError: all checkpoints are damaged, or the recipe or the data has changed.
        DataNotFoundError, NonFiniteLossError, OutputError, ...: as `train`.
    """
    check_main_guard()
    path = Path(path)
    options = RunOptions.of(data, device, max_time, progress, monitors, tensorboard, trackers)
    active_trackers = create_trackers(options.trackers, options.tensorboard)
    with join() as group:
        if group.first and not (path / RECIPE).is_file():
            raise RunNotFoundError(
                f"{path} is not a run: it holds no recipe.toml. Start one: ganzoo train RECIPE"
            )
        with sole_user(path, group):
            return _run(path, _restore(path, options, group), options, active_trackers)


def _restore(path: Path, options: RunOptions, group: Group) -> Prepared:
    """Load the newest checkpoint. Only the first process reads files; it shares them."""
    file = path / RECIPE
    text = Recipe.from_toml(file).to_toml() if group.first else ""
    recipe = Recipe.from_text(group.tell(text.encode()).decode(), where=str(file))
    began = _share(RunData.read(path) if group.first else None, group)
    folder = options.data or (began.folder if began else None)
    checkpoint = share_checkpoint(
        load_checkpoint(path / "checkpoints") if group.first else None, group
    )
    if checkpoint is None and began and group.first and sha256(file) != began.recipe_sha256:
        raise CheckpointError(
            f"{file} has changed since the run began, and the run has no checkpoint. Restore the "
            f"file, or start a new run with it: ganzoo train {file} --out DIR."
        )
    prepared = prepare(recipe, data=folder, device=options.device, group=group)
    if checkpoint:
        # Both are completed by today's plugins, which may have got new arguments since the
        # checkpoint.
        trained = Recipe.from_text(checkpoint["recipe"], where="the recipe in its checkpoint")
        if complete(trained) != prepared.recipe:
            raise CheckpointError(
                f"{file} differs from the recipe of the run's checkpoint. Restore the file, or "
                "start a new run with the changed recipe: ganzoo train RECIPE --out DIR."
            )
    fingerprint = checkpoint["data_fingerprint"] if checkpoint else began and began.sha256
    if fingerprint and not prepared.batches.matches(fingerprint):
        raise CheckpointError(
            f"the data in {prepared.root} differs from the data that {path} was trained on. Pass "
            "the folder of that data with --data DIR."
        )
    if fingerprint:  # of the same kind in all bundles of the run, whether streamed or not
        prepared.batches.fingerprint = fingerprint
    if group.first:
        _record_data(path, prepared, sha256(file))  # the folder may have moved
    if checkpoint is None:  # interrupted before the first checkpoint: start again
        return prepared
    try:
        prepared.state.load_state_dict(checkpoint["state"])
    except (RuntimeError, *MALFORMED) as error:
        raise CheckpointError(
            f"the newest checkpoint in {path / 'checkpoints'} does not hold the networks and "
            f"optimizers of this recipe: {shorten(str(error)).removesuffix('.')}. Delete it to "
            "continue from the one before it."
        ) from error
    prepared.batches.position = checkpoint["batches_drawn"]
    return prepared


def _record_data(path: Path, prepared: Prepared, recipe_sha256: str) -> None:
    """Write where a run's data is, and the fingerprints that a resumed run checks."""
    folder = str(prepared.root.resolve()) if prepared.root else None
    batches = prepared.batches
    RunData(folder, len(batches), batches.fingerprint, recipe_sha256).write(path)


def _share(data: RunData | None, group: Group) -> RunData | None:
    """Return the first process's data of the run in all processes."""
    fields = json.loads(group.tell(json.dumps(data and dataclasses.asdict(data)).encode()))
    return RunData(**fields) if fields else None


def _run(
    path: Path, prepared: Prepared, options: RunOptions, trackers: Mapping[str, Tracker]
) -> Run:
    recipe, state = prepared.recipe, prepared.state
    group = state.group
    if options.progress and group.first:
        print_error(plan(prepared))
        if recipe.compile:
            print_error("compiling: the first ticks take ten seconds to several minutes")
    if group.first:
        cut_back(path / METRICS, state.images_seen, ("metrics",))
    reporter = RunReporter(
        path,
        prepared,
        progress=options.progress,
        monitors=options.monitors == "on",
        trackers=trackers,
    )
    start = clock = time.perf_counter()
    ended: Literal["finished", "time", "signal"] = "finished"

    with (
        stop_on_signal() as stop_requested,
        kept_variables(),
        _deterministic(recipe.deterministic),
        _explaining(path),
        closing(reporter),
        reporting_loss(),
    ):

        def report() -> bool:
            nonlocal clock, ended
            now = time.perf_counter()
            state.seconds, clock = state.seconds + now - clock, now
            finished = state.images_seen >= recipe.images
            if not finished:
                ended = ENDS[group.most(2 if stop_requested() else now - start >= options.seconds)]
            due = due_after_tick(recipe, state.images_seen, interrupted=ended != "finished")
            if due.log:
                reporter.report()
            if due.sample and group.first:
                reporter.show_samples()
            if due.evaluate and group.first:
                line = evaluate(path, prepared)
                reporter.show_metrics(line)
                keep_best_by_metric(path, prepared, line)
            if due.save and group.first:
                keep(path, prepared)
            if due.compare and group.first:
                keep_best_by_log(path, prepared)
            return not finished and ended == "finished"

        log = reporter.log
        run_ticks(
            state, prepared.batches, log_term=log.log_term, log_metric=log.log_metric, report=report
        )
    return Run(path, state.images_seen, ended)


@contextmanager
def _deterministic(enabled: bool) -> Iterator[None]:
    """Allow only deterministic algorithms while the block runs."""
    if not enabled:
        yield
        return
    mode, benchmark = torch.get_deterministic_debug_mode(), torch.backends.cudnn.benchmark
    # cuBLAS reads this variable at its first use.
    workspace = os.environ.get("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = False
    try:
        with environment(CUBLAS_WORKSPACE_CONFIG=workspace):
            yield
    finally:
        torch.set_deterministic_debug_mode(mode)
        torch.backends.cudnn.benchmark = benchmark


@contextmanager
def _explaining(path: Path) -> Iterator[None]:
    """Add the last checkpoint and the next command to an error of the training."""
    try:
        yield
    except GanzooError as error:
        saved = sorted((path / "checkpoints").glob("*.safetensors"))
        last = f" The last good checkpoint is {saved[-1]}." if saved else ""
        advice = (
            " Try a lower --optimizer.lr, another --loss or --precision fp32."
            if isinstance(error, NonFiniteLossError | SampleError)
            else f" ganzoo train --resume {path} continues the run."
        )
        raise type(error)(f"{error}{last}{advice}") from error
    except RuntimeError as error:
        if "deterministic" not in str(error):
            raise
        raise RecipeError(
            f"{str(error).splitlines()[0][:200]} Start a new run without --deterministic."
        ) from error
