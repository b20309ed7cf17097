"""Benchmarks: many trainings under one protocol, and their table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganzoo.bundle.files import write_file
from ganzoo.comparison.plan import check_changes, make_plan, write_plan
from ganzoo.comparison.progress import Progress
from ganzoo.comparison.report import write_report
from ganzoo.comparison.results import BenchmarkResults, collect
from ganzoo.comparison.runs import train_all
from ganzoo.comparison.spec import BenchmarkSpec
from ganzoo.data.workers import check_main_guard
from ganzoo.errors import RecipeError
from ganzoo.training.control import lock_folder


def benchmark(
    spec: str | Path | Mapping[str, Any] | BenchmarkSpec,
    *,
    out: str | Path | None = None,
    data: str | Path | None = None,
    device: str | None = None,
    jobs: int = 1,
    check: bool = False,
    progress: bool = True,
) -> BenchmarkResults:
    """Train and measure architectures x losses x options x seeds under one protocol.

    The folder `out` has the runs, ``results.json``, ``results.md``, ``curves.png``,
    ``samples.png`` and ``report.html``. A second call with the same folder continues the runs that
    are not done, and adds those that are new in the spec. A run that diverges or fails is a result.

    Ctrl-C, SIGTERM or a closed terminal saves the runs and returns the results so far.

    Args:
        spec: a TOML file, the name of a spec that ships with ganzoo, or a table. See
            ``docs/benchmarking.md``.
        out: folder of the benchmark; by default ``benchmarks/<name>``.
        data: folder of the dataset; by default the environment variable GANZOO_DATA.
        device: ``cpu`` or ``cuda``; by default cuda if there is a GPU.
        jobs: number of processes that train at the same time. Each has an equal share of the CPU's
            cores, and a GPU of its own as far as there are some.
        check: check the spec and return the results so far, without training or writing anything.
        progress: show a table on a terminal, or a line for each run, on standard error.

    Returns:
        The results; `results.left` lists the runs that are not done.

    Raises:
        RecipeError: the spec is not valid, or changes runs of the folder.
        UnknownNameError: a component, recipe, metric or extractor is not registered.
        IncompatibleCombinationError, ArchitectureError: no architecture fits a loss.
        MetricError: a metric cannot be computed under the protocol.
        DataNotFoundError, DataError: the data is missing or cannot be used.
        RunExistsError: another benchmark runs in the folder.
        OutputError: a file cannot be written, or a link in the folder leads out of it.

    Example:
        >>> results = ganzoo.benchmark("losses-on-digits", jobs=2)
        >>> results.rows[0].label, results.rows[0].final["frechet_distance"].mean
    """
    check_main_guard()
    if jobs < 1:
        raise RecipeError(f"jobs is {jobs}. Use --jobs 1 or more.")
    if isinstance(spec, Mapping):
        spec = BenchmarkSpec.from_dict(spec)
    elif not isinstance(spec, BenchmarkSpec):
        spec = BenchmarkSpec.find(spec)
    folder = Path(out) if out is not None else Path("benchmarks") / spec.name
    root = Path(data) if data is not None else None
    plan = make_plan(spec, root, device)
    check_changes(plan, folder)
    if check:
        return collect(plan, folder)
    with lock_folder(folder, "benchmark", "Another benchmark can have another folder: --out DIR."):
        write_plan(plan, folder)
        write_file(folder / "spec.toml", spec.to_toml())
        display = Progress(plan, folder, enabled=progress)
        with display.running():
            train_all(
                plan.runs,
                folder,
                minutes=spec.budget.minutes,
                data=root,
                device=device,
                jobs=jobs,
                report=display.report,
            )
        results = collect(plan, folder)
        write_report(results)
    return results
