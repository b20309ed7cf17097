"""Train and measure many combinations under one protocol."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from ganzoo.cli.arguments import Text
from ganzoo.errors import quantity
from ganzoo.system.terminal import print_out


def benchmark(
    spec: Text,
    /,
    out: Path | None = None,
    data: Path | None = None,
    device: Literal["cpu", "cuda"] | None = None,
    jobs: int = 1,
    check: bool = False,
) -> None:
    """Train architectures x losses x options x seeds, and write a table and a report.

    The same command continues a benchmark that was stopped.

    Args:
        spec: a TOML file (docs/benchmarking.md), or losses-on-digits, which ships with ganzoo.
        out: folder of the benchmark; by default benchmarks/NAME.
        data: folder of the dataset; by default the environment variable GANZOO_DATA.
        device: cpu or cuda; by default cuda if there is a GPU.
        jobs: processes that train at the same time, each with its share of the cores or its GPU.
        check: print what is left to run, and write nothing.
    """
    from ganzoo.comparison.benchmark import benchmark as run_benchmark

    results = run_benchmark(spec, out=out, data=data, device=device, jobs=jobs, check=check)
    total = sum(len(row.runs) for row in results.rows)
    left = results.left
    if check:
        for label, reason in results.failures:
            print_out(f"{label}: {reason}")
        for run in left:
            print_out(f"{run.folder.name}: {run.status}, {quantity(run.images, 'image')} seen")
        print_out(f"{results.path}: {len(left)} of {quantity(total, 'run')} left")
        return
    print_out(results.to_markdown())
    print_out(f"report: {results.path / 'report.html'}")
    if left:
        raise KeyboardInterrupt(
            f"{len(left)} of {quantity(total, 'run')} left. The same command continues."
        )
