"""The folder a training writes: recipe, log, samples, checkpoints, bundle."""

from __future__ import annotations

import hashlib
import os
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch

from ganzoo.bundle import CONFIG, leftovers
from ganzoo.bundle.files import reporting_output, write_file
from ganzoo.bundle.folder import suggest_folder
from ganzoo.bundle.json_lines import cut_back
from ganzoo.data.cache import CacheOptions
from ganzoo.data.run_data import FILE as DATA_FILE
from ganzoo.data.workers import check_main_guard
from ganzoo.errors import (
    GanzooError,
    NonFiniteLossError,
    RecipeError,
    RunExistsError,
    RunNotFoundError,
    SampleError,
    as_folder,
    enumerate_names,
    quantity,
    shell_word,
)
from ganzoo.nn import torch_defaults
from ganzoo.nn.random_numbers import own_random_numbers
from ganzoo.registry import find_recipe
from ganzoo.registry.names import parse_model_name
from ganzoo.registry.own_file import repeat_imports
from ganzoo.spec import Recipe
from ganzoo.system.dependencies import environment, kept_variables
from ganzoo.system.signals import stop_on_signal
from ganzoo.system.terminal import print_error
from ganzoo.training.build import complete
from ganzoo.training.changes import check_changes, lengthened, name_length_schedules
from ganzoo.training.control import LOCK, sole_user
from ganzoo.training.distributed import join, launch, reporting_loss, restarted
from ganzoo.training.evaluation import METRICS, evaluate
from ganzoo.training.initial_weights import FILE as INITIAL_FILE
from ganzoo.training.initial_weights import plain_name
from ganzoo.training.loop import run_ticks
from ganzoo.training.options import AutoOnOff, OnOff, RunOptions
from ganzoo.training.overrides import override
from ganzoo.training.preparation import plan, prepare
from ganzoo.training.prepared import Prepared
from ganzoo.training.reporter import RunReporter
from ganzoo.training.restore import RECIPE, read_recipe, record_data, restore, share_recipe
from ganzoo.training.schedule import due_after_tick
from ganzoo.training.snapshot import BEST, BUNDLE, keep, keep_best_by_log, keep_best_by_metric
from ganzoo.training.tracking import Tracker, create_trackers

# By the number that the processes agree on after a tick; at 1, they save and go on.
ENDS: tuple[Literal["finished", "time", "signal"], ...] = ("finished", "finished", "time", "signal")
LAUNCH = ".launch"  # holds the id of the torchrun launch that started the run


@dataclass(frozen=True)
class Run:
    """The folder of a training.

    Attributes:
        path: the folder.
        images_seen: images that the training has seen.
        ended: why it ended: it saw all images (``finished``), a signal arrived, such as Ctrl-C
            (``signal``), or `max_time` passed (``time``).
        resumed_at: images that it had seen when this process began.
    """

    path: Path
    images_seen: int
    ended: Literal["finished", "signal", "time"]
    resumed_at: int = 0

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
    init_from: str | Path | None = None,
    cache: str | Path = RunOptions.cache,
    device: str | torch.device | None = RunOptions.device,
    max_time: str | None = RunOptions.max_time,
    progress: bool = RunOptions.progress,
    monitors: OnOff = RunOptions.monitors,
    tensorboard: AutoOnOff = RunOptions.tensorboard,
    trackers: Sequence[str] = RunOptions.trackers,
    checkpoint_minutes: float = RunOptions.checkpoint_minutes,
    **fields: Any,
) -> Run:
    """Train a recipe.

    Trainings in several threads of a process run one after another: all threads share torch's
    random generators, so a program should not draw from them while another thread trains.

    Ctrl-C, SIGTERM or a closed terminal saves a checkpoint and returns a run that `resume`
    continues. A second signal ends the process at once, and `resume` continues from the last
    checkpoint.

    `ganzoo.training.RunOptions` describes `data`, `cache`, `device`, `max_time`, `progress`,
    `monitors`, `tensorboard`, `trackers` and `checkpoint_minutes`.

    Args:
        recipe: a recipe, its registered name, or the path of its TOML file.
        out: the run's folder, which must not exist; by default ``runs/<name>``.
        init_from: a model whose weights the training starts from, as far as they fit: a registered
            name, the folder of a bundle or run, or ``hf://org/repo``. It has the architecture of
            the recipe. See ``docs/fine-tuning.md``.
        fields: other values of the recipe's fields. A component is a name or a table of arguments,
            the optimizer a table.

    Example:
        >>> ganzoo.train("dcgan-digits", images=64, loss="hinge", optimizer={"lr": 1e-4})

    Raises:
        RecipeError, UnknownNameError, IncompatibleCombinationError, ArchitectureError: the
            networks and the loss cannot be built.
        DataNotFoundError, DataError: the data is missing or cannot be used.
        ExtractorError: the extractor for the evaluation is not available.
        MissingExtraError: `tensorboard` is on, and tensorboard is not installed.
        RunExistsError, OutputError: the run's folder exists or cannot be written.
        NotABundleError, BundleError, CheckpointError, HubError: `init_from` cannot be loaded.
        WorkerError: the script has no main guard, and a worker process runs it again.
        NonFiniteLossError: a loss became NaN or infinite. The last checkpoint remains.
    """
    check_main_guard()
    recipe = recipe if isinstance(recipe, Recipe) else find_recipe(recipe)
    recipe = override(recipe, fields) if fields else recipe
    path = Path(out) if out is not None else Path("runs") / recipe.name
    options = RunOptions.of(
        data, cache, device, max_time, progress, monitors, tensorboard, trackers, checkpoint_minutes
    )
    active_trackers = create_trackers(options.trackers, options.tensorboard)
    with join() as group:
        if group.most(group.first and restarted() and _is_of_this_launch(path)):
            with sole_user(path, group):
                return _run(path, restore(path, options, group), options, active_trackers)
        if group.first:
            _check_new(path)
        cache_options = CacheOptions.of(options.cache, path)
        prepared = prepare(
            recipe,
            data=options.data,
            device=options.device,
            init_from=init_from,
            group=group,
            cache=cache_options,
        )
        if group.first:
            warn_of_random_layers(prepared)
        with sole_user(path, group):
            if group.first:
                _check_new(path)
                recipe_text = prepared.recipe.to_toml()
                if prepared.initial:
                    prepared.initial.write(path)
                digest = hashlib.sha256(recipe_text.encode()).hexdigest()
                model = None if init_from is None else parse_model_name(init_from)
                folder = str(model.absolute()) if isinstance(model, Path) else None
                record_data(path, prepared, digest, folder)
                write_file(path / RECIPE, recipe_text)  # last: it makes the folder a run
                if group.size > 1:
                    write_file(path / LAUNCH, launch())
            return _run(path, prepared, options, active_trackers)


def _is_of_this_launch(path: Path) -> bool:
    """Whether an earlier attempt of the same torchrun launch started the run."""
    file = path / LAUNCH
    return file.is_file() and file.read_text(encoding="utf-8") == launch()


def warn_of_random_layers(prepared: Prepared) -> None:
    """Warn of layers that are frozen with random weights."""
    initial, nets = prepared.initial, prepared.state.nets
    for role, weights in prepared.state.frozen.items():
        ids = {id(weight) for weight in weights}
        names = [name for name, weight in nets[role].named_parameters() if id(weight) in ids]
        if initial is None:
            reason = "the run starts from random weights. Add --init-from MODEL"
        elif (new := initial.new.get(role)) == {}:
            reason = f"{initial.model!r} has no {role}. Start from the folder of its run"
        elif new and (random := [name for name in names if plain_name(name) in new]):
            reason = f"these do not fit the model's: {enumerate_names(random)}"
        else:
            continue
        warnings.warn(
            f"--freeze-layers keeps layers of the {role} whose weights are random: {reason}",
            stacklevel=3,
        )


def _check_new(path: Path) -> None:
    """Refuse a folder that holds more than a training leaves that is killed before it begins."""
    with reporting_output(path):
        if path.is_file():
            raise RunExistsError(f"{path} is a file. Pass a folder for the run with --out DIR.")
        files = (DATA_FILE, INITIAL_FILE)
        beginnings = (LOCK, *files, *(leftovers.prefix(path / n) for n in (*files, RECIPE)))
        if path.exists() and not all(f.name.startswith(beginnings) for f in path.iterdir()):
            advice = "Pass another folder with --out DIR"
            if (path / RECIPE).is_file():
                command = f"ganzoo train --resume {shell_word(path)}{repeat_imports()}"
                advice += f", or continue the run: {command}"
            raise RunExistsError(f"the folder {path} exists already and is not empty. {advice}")


@torch_defaults()
@own_random_numbers()
def resume(
    path: str | Path,
    *,
    recipe: Recipe | None = None,
    change: bool = False,
    data: str | Path | None = RunOptions.data,
    cache: str | Path = RunOptions.cache,
    device: str | torch.device | None = RunOptions.device,
    max_time: str | None = RunOptions.max_time,
    progress: bool = RunOptions.progress,
    monitors: OnOff = RunOptions.monitors,
    tensorboard: AutoOnOff = RunOptions.tensorboard,
    trackers: Sequence[str] = RunOptions.trackers,
    checkpoint_minutes: float = RunOptions.checkpoint_minutes,
    **fields: Any,
) -> Run:
    """Continue a run from its newest checkpoint, or lengthen it.

    If a checkpoint is damaged, ganzoo warns, renames it and uses the one before it. On the CPU, and
    with the same number of threads, the weights are bit for bit those of an uninterrupted run.

    A run with more `images` than before is lengthened. If no setting follows the length of the
    whole run, its weights are those of a run of that length from the start; otherwise a line on
    standard error names the setting.

    `ganzoo.training.RunOptions` describes `data`, `cache`, `device`, `max_time`, `progress`,
    `monitors`, `tensorboard`, `trackers` and `checkpoint_minutes`.

    Args:
        path: the run's folder.
        recipe: the recipe to continue with; by default the run's own.
        change: whether fields that change what the run learns may change. The run's
            ``history.jsonl`` and the model card record all changes.
        fields: other values of the recipe's fields, as for `train`.

    Raises:
        RunNotFoundError: the folder holds no run.
        RecipeError: a field never changes in a run, or needs `change`.
        RunExistsError: another process is training the run.
        CheckpointError: all checkpoints are damaged, or the recipe or the data has changed.
        DataNotFoundError, NonFiniteLossError, OutputError, ...: as `train`.
    """
    check_main_guard()
    path = Path(path)
    options = RunOptions.of(
        data, cache, device, max_time, progress, monitors, tensorboard, trackers, checkpoint_minutes
    )
    active_trackers = create_trackers(options.trackers, options.tensorboard)
    with join() as group:
        if group.first and not (path / RECIPE).is_file():
            raise RunNotFoundError(
                f"{path} is not a run: it holds no recipe.toml.{_explain_path(path)}"
            )
        with sole_user(path, group):
            current = read_recipe(path, group)
            if group.first:
                recipe = override(recipe or current, fields) if fields else recipe or current
                check_changes(
                    path, complete(current), complete(recipe), change=change, data=options.data
                )
            recipe = share_recipe(recipe, group)
            prepared = restore(path, options, group, recipe)
            return _run(path, prepared, options, active_trackers)


def _explain_path(path: Path) -> str:
    """Return what to type instead of a path that is no run."""
    if (path.parent / RECIPE).is_file():
        return f" It is in a run: ganzoo train --resume {shell_word(path.parent)}"
    if (path / CONFIG).is_file():
        return (
            " It is a bundle, which holds a trained model and no state of its training. Start a "
            f"new run from its weights: ganzoo train RECIPE --init-from {as_folder(path)}"
        )
    return f"{suggest_folder(path)} Start a run: ganzoo train RECIPE"


def _run(
    path: Path, prepared: Prepared, options: RunOptions, trackers: Mapping[str, Tracker]
) -> Run:
    recipe, state = prepared.recipe, prepared.state
    group, resumed_at = state.group, state.images_seen
    if resumed_at >= recipe.images:
        if options.progress and group.first:
            pending = [line["changes"] for line in prepared.history if line["images"] >= resumed_at]
            names = ", ".join(pending[-1]) if pending else ""
            changes = f" The new {names} is recorded for then." if names else ""
            print_error(
                f"{path} is finished: it has seen all {quantity(recipe.images, 'image')}. Lengthen "
                f"it: ganzoo train --resume {shell_word(path)} --images "
                f"{2 * recipe.images}{repeat_imports()}{changes}"
            )
        return Run(path, resumed_at, "finished", resumed_at)
    if options.progress and group.first:
        print_error(plan(prepared))
        if lengthened(prepared.history) and (schedules := name_length_schedules(prepared)):
            print_error(
                f"lengthened: {schedules} follows the length of the run, so the weights differ "
                f"from those of a run of {quantity(recipe.images, 'image')} from the start"
            )
        if recipe.compile:
            print_error("compiling: the first steps take ten seconds to several minutes")
    if group.first:
        cut_back(path / METRICS, state.images_seen, ("metrics",))
    reporter = RunReporter(
        path,
        prepared,
        progress=options.progress,
        monitors=options.monitors == "on",
        trackers=trackers,
    )
    if group.first and prepared.initial and not state.tick:
        keep(path, prepared)  # from now on, the run continues without the model it started from
    start = clock = saved = time.perf_counter()
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
            nonlocal clock, saved, ended
            now = time.perf_counter()
            finished = state.images_seen >= recipe.images
            save = False
            if not finished:
                old = now - saved >= 60 * options.checkpoint_minutes > 0
                stop = 3 if stop_requested() else 2 if now - start >= options.seconds else old
                agreed = group.most(stop)
                save, ended = agreed == 1, ENDS[agreed]
            due = due_after_tick(recipe, state.images_seen, ended != "finished", save)
            if due.log and state.device.type == "cuda":
                torch.cuda.synchronize(state.device)  # its steps are still running
            state.seconds += time.perf_counter() - clock
            if due.log:
                reporter.report()
            else:
                reporter.count()
            if due.sample and group.first:
                reporter.show_samples()
            if due.evaluate and group.first:
                line = evaluate(path, prepared)
                reporter.show_metrics(line)
                keep_best_by_metric(path, prepared, line)
            if due.save:
                saved = now
                if group.first:
                    keep(path, prepared)
            if due.compare and group.first:
                keep_best_by_log(path, prepared)
            clock = time.perf_counter()
            return not finished and ended == "finished"

        log = reporter.log
        run_ticks(
            state, prepared.batches, log_term=log.log_term, log_metric=log.log_metric, report=report
        )
    return Run(path, state.images_seen, ended, resumed_at)


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
            else f" ganzoo train --resume {shell_word(path)}{repeat_imports()} continues the run."
        )
        raise type(error)(f"{error}{last}{advice}") from error
    except RuntimeError as error:
        if "deterministic" not in str(error):
            raise
        raise RecipeError(
            f"{str(error).splitlines()[0][:200]} Start a new run without --deterministic."
        ) from error
