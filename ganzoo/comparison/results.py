"""The results of a benchmark, from the logs of its runs."""

from __future__ import annotations

import json
import math
import statistics
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ganzoo.bundle.json_lines import read_lines
from ganzoo.comparison.plan import Plan
from ganzoo.comparison.runs import RUNS, Outcome, last_line, read_outcome
from ganzoo.errors import quantity
from ganzoo.registry import better_of
from ganzoo.system.machine import describe_versions
from ganzoo.training.evaluation import METRICS

Values = dict[str, float]
BEST_OF: dict[str, Callable[..., float]] = {"lower": min, "higher": max}
ARROWS = {"lower": " ↓", "higher": " ↑"}  # behind the name of a value


@dataclass(frozen=True)
class SeedMean:
    """The mean of a value over seeds.

    Attributes:
        mean: the mean.
        spread: the standard deviation of the sample; None for one seed.
        seeds: number of values.
    """

    mean: float
    spread: float | None
    seeds: int

    @classmethod
    def of(cls, values: Sequence[float]) -> SeedMean | None:
        """Return the mean of finite values; None if there are none."""
        finite = [value for value in values if math.isfinite(value)]
        if not finite:
            return None
        size = max(map(abs, finite)) or 1.0  # divided by it, no sum of huge values overflows
        parts = [value / size for value in finite]
        spread = statistics.stdev(parts) * size if len(parts) > 1 else None
        return cls(statistics.fmean(parts) * size, spread, len(parts))

    def __str__(self) -> str:
        spread = "" if self.spread is None else f" ± {self.spread:.2g}"
        return f"{self.mean:.4g}{spread}"


@dataclass(frozen=True)
class SeedResult:
    """A run of a benchmark.

    Attributes:
        seed: its seed.
        folder: its folder.
        status: that of its outcome, or ``stopped`` or ``waiting`` if it is not done.
        reason: the error of a run that diverged or failed.
        images: images that it has seen.
        images_per_second: speed of the training, without evaluations; 0 before the first log line.
        evaluations: images seen and values, oldest first.
        findings: failures that monitors report, with the images seen when they began.
    """

    seed: int
    folder: Path
    status: str
    reason: str
    images: int
    images_per_second: float
    evaluations: list[tuple[int, Values]]
    findings: list[str]

    @property
    def finished(self) -> bool:
        """Whether the run saw its whole budget."""
        return self.status == "finished"

    @property
    def final(self) -> Values:
        """The values of the last evaluation; empty unless the run is finished."""
        return self.evaluations[-1][1] if self.finished and self.evaluations else {}

    @property
    def best(self) -> Values:
        """The best value of each metric over the training; empty unless the run is finished."""
        best = {}
        for name in self.final:
            values = [v[name] for _, v in self.evaluations if math.isfinite(v.get(name, math.nan))]
            choose = BEST_OF.get(better_of(name) or "")
            if choose and values:
                best[name] = choose(values)
        return best


@dataclass(frozen=True)
class BenchmarkRow:
    """A combination of a benchmark, over its seeds.

    Attributes:
        label: what differs between the combinations.
        architecture, loss, options: the combination.
        parameters: number of parameters of the generator; 0 if it cannot be built.
        incompatible: why architecture and loss do not fit; empty if they do.
        runs: the run of each seed; none if they do not fit.
    """

    label: str
    architecture: str
    loss: str
    options: str
    parameters: int
    incompatible: str
    runs: list[SeedResult]

    @cached_property
    def final(self) -> dict[str, SeedMean]:
        """The final values over the finished runs, by name."""
        return _over_seeds([run.final for run in self.runs])

    @cached_property
    def best(self) -> dict[str, SeedMean]:
        """The best values over the finished runs, by name."""
        return _over_seeds([run.best for run in self.runs])

    @property
    def speed(self) -> SeedMean | None:
        """Images per second over the finished runs."""
        return SeedMean.of([run.images_per_second for run in self.runs if run.finished])

    @property
    def state(self) -> str:
        """Number of finished runs, and how the others ended."""
        if self.incompatible:
            return "incompatible"
        states = [run.status for run in self.runs]
        others = [f"{states.count(each)} {each}" for each in dict.fromkeys(states)]
        if set(states) == {"finished"}:
            return str(len(states))
        return ", ".join(others)


@dataclass(frozen=True)
class BenchmarkResults:
    """The results of a benchmark.

    Attributes:
        path: the benchmark's folder, with ``report.html``, ``results.json`` and ``results.md``.
        plan: its plan.
        rows: the best combination first; those without a finished run are last.
        hardware: the machine of the first finished run, and its number of threads.
    """

    path: Path
    plan: Plan
    rows: list[BenchmarkRow]
    hardware: str = ""

    @property
    def left(self) -> list[SeedResult]:
        """Runs that are not done."""
        return [r for row in self.rows for r in row.runs if r.status in ("stopped", "waiting")]

    @property
    def finished(self) -> bool:
        """Whether every run is done."""
        return not self.left

    @property
    def metrics(self) -> list[str]:
        """The names of all values, in the order of the protocol's metrics."""
        return list(dict.fromkeys(name for row in self.rows for name in row.final))

    @property
    def failures(self) -> list[tuple[str, str]]:
        """Label and reason of combinations that do not fit, and of runs that failed."""
        labels: dict[str, list[str]] = {}  # of the combinations with the same reason
        for row in self.rows:
            if row.incompatible:
                labels.setdefault(row.incompatible, []).append(row.label)
        return [("; ".join(each), reason) for reason, each in labels.items()] + [
            (
                f"{row.label}, seed {run.seed}",
                f"{run.status} after {quantity(run.images, 'image')}: {run.reason}",
            )
            for row in self.rows
            for run in row.runs
            if run.reason
        ]

    def best_means(self, values: str) -> dict[str, float]:
        """Return the best mean of each metric over the rows.

        Args:
            values: ``final`` or ``best``.
        """
        columns = [getattr(row, values) for row in self.rows]
        return {
            name: choose(column[name].mean for column in columns if name in column)
            for name in self.metrics
            if (choose := BEST_OF.get(better_of(name) or ""))
        }

    def to_dict(self) -> dict[str, Any]:
        """Return the results as JSON values."""
        spec = self.plan.spec
        return {
            "name": spec.name,
            "spec": asdict(spec),
            "hardware": self.hardware,
            "versions": describe_versions(),
            "finished": self.finished,
            "rows": [_row(row, self.path) for row in self.rows],
        }

    def to_markdown(self) -> str:
        """Return the table of the results, and the failures."""
        best = {values: self.best_means(values) for values in ("final", "best")}
        heads = ["", *_heads(self), "seeds", "images/s", "parameters"]
        lines = [heads]
        for row in self.rows:
            cells = []
            for name, values in _columns(self):
                mean = getattr(row, values).get(name)
                is_best = mean and mean.mean == best[values].get(name)
                cells.append(f"**{mean}**" if is_best else str(mean or "-"))
            size = f"{row.parameters:,}" if row.parameters else "-"
            speed = f"{row.speed.mean:,.0f}" if row.speed else "-"
            lines.append([row.label.replace("|", "\\|"), *cells, row.state, speed, size])
        head, *body = (f"| {line} |" for line in align(lines, " | "))
        rule = "|---|" + "---:|" * (len(heads) - 1)
        table = "\n".join([head, rule, *body])
        failures = "".join(f"\n- {label}: {reason}" for label, reason in self.failures)
        return f"# {self.plan.spec.name}\n\n{table}\n\n{caption(self)}\n{failures}\n"


def align(table: Sequence[Sequence[str]], gap: str = "  ") -> list[str]:
    """Return the lines of a table: the first column is aligned to the left, others to the right."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return [
        gap.join(
            cell.rjust(width) if k else cell.ljust(width)
            for k, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in table
    ]


def caption(results: BenchmarkResults) -> str:
    """Return how the values of a table were measured, in one paragraph."""
    spec = results.plan.spec
    protocol, budget = spec.protocol, spec.budget
    recipe = results.plan.combinations[0].recipe
    length = (
        quantity(budget.images, "image") if budget.images else f"{budget.minutes:g} minutes a run"
    )
    extractor = (
        f"extractor {protocol.extractor}" if protocol.extractor else "the dataset's extractor"
    )
    text = (
        f"Dataset {recipe.dataset.name}; {length}; "
        f"{quantity(protocol.samples, 'sample')} every {quantity(protocol.every, 'image')}, "
        f"{extractor}; seeds {', '.join(map(str, spec.seeds))}. Values are means over the "
        "finished seeds, ± the standard deviation; the best one is bold. Final is the last "
        "evaluation, best the best evaluation of each seed."
    )
    return f"{text} Measured on {results.hardware}." if results.hardware else text


def _columns(results: BenchmarkResults) -> list[tuple[str, str]]:
    return [
        (name, values)
        for name in results.metrics
        for values in ("final", "best")
        if values == "final" or better_of(name) in BEST_OF
    ]


def _heads(results: BenchmarkResults) -> list[str]:
    return [
        f"{name.replace('_', ' ')}{ARROWS.get(better_of(name) or '', '')}, {values}"
        for name, values in _columns(results)
    ]


def collect(plan: Plan, folder: Path) -> BenchmarkResults:
    """Read the results of a benchmark from the files of its runs."""
    hardware = ""
    rows = []
    for each in plan.combinations:
        runs = []
        for run in plan.runs:
            if run.combination is each:
                result, machine = _read_run(run.seed, folder / RUNS / run.name)
                runs.append(result)
                hardware = hardware or machine
        parameters = plan.parameters.get(each.slug, 0)
        reason = plan.incompatible.get(each.slug, "")
        row = (each.label, each.architecture, each.loss, each.options, parameters, reason, runs)
        rows.append(BenchmarkRow(*row))
    return BenchmarkResults(folder, plan, _sort(rows), hardware)


def _read_run(seed: int, folder: Path) -> tuple[SeedResult, str]:
    """Return the result of a run, and its hardware."""
    outcome = read_outcome(folder)
    line = last_line(folder)
    if not outcome:
        status = "stopped" if line["images"] else "waiting"
        outcome_ = Outcome("failed", line["images"], float(line.get("seconds", 0.0)))
    else:
        status, outcome_ = outcome.status, outcome
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of damaged lines
        evaluations = read_lines(folder / METRICS, ("metrics",))
        log = read_lines(folder / "log.jsonl", ("terms",))
    findings = [
        f"{finding['monitor']} since {finding['since']:,} images"
        for each in log
        for finding in each.get("findings", [])
        if finding.get("event") == "begins"
    ]
    result = SeedResult(
        seed,
        folder,
        status,
        outcome_.reason,
        outcome_.images,
        outcome_.images / outcome_.seconds if outcome_.seconds else 0.0,
        [(each["images"], each["metrics"]) for each in evaluations],
        findings,
    )
    protocol = evaluations[0].get("protocol") if evaluations else None
    return result, str(protocol.get("hardware", "")) if isinstance(protocol, Mapping) else ""


def _over_seeds(values: Sequence[Values]) -> dict[str, SeedMean]:
    names = dict.fromkeys(name for each in values for name in each)
    means = {name: SeedMean.of([each[name] for each in values if name in each]) for name in names}
    return {name: mean for name, mean in means.items() if mean}


def _sort(rows: Sequence[BenchmarkRow]) -> list[BenchmarkRow]:
    """Sort by the final mean of the first value that has a best one."""
    names = dict.fromkeys(name for row in rows for name in row.final)
    name = next((name for name in names if better_of(name) in BEST_OF), None)
    if name is None:
        return list(rows)
    sign = -1 if better_of(name) == "higher" else 1
    return sorted(
        rows,
        key=lambda row: sign * row.final[name].mean if name in row.final else math.inf,
    )


def _row(row: BenchmarkRow, folder: Path) -> dict[str, Any]:
    speed = row.speed
    return {
        "label": row.label,
        "architecture": row.architecture,
        "loss": row.loss,
        "options": row.options,
        "parameters": row.parameters,
        "incompatible": row.incompatible,
        "final": {name: asdict(mean) for name, mean in row.final.items()},
        "best": {name: asdict(mean) for name, mean in row.best.items()},
        "images_per_second": asdict(speed) if speed else None,
        "runs": [
            asdict(run)
            | {"folder": run.folder.relative_to(folder).as_posix()}
            | {"final": run.final, "best": run.best}
            for run in row.runs
        ],
    }


def to_json(results: BenchmarkResults) -> str:
    """Return the results as JSON text, with null for a value that is not finite."""
    return json.dumps(_finite(results.to_dict()), indent=1, default=str, allow_nan=False)


def _finite(value: Any) -> Any:
    match value:
        case float():
            return value if math.isfinite(value) else None
        case dict():
            return {key: _finite(each) for key, each in value.items()}
        case list() | tuple():
            return [_finite(each) for each in value]
    return value
