"""Measure models, and compare several models."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import tyro

from ganzoo.cli.arguments import Text
from ganzoo.cli.outputs import MaybeOutput, choose_output
from ganzoo.errors import quantity
from ganzoo.system.terminal import print_out

if TYPE_CHECKING:
    from ganzoo.benchmark import Row

TABLE = ("frechet", "precision-recall")  # default metrics of a comparison


def evaluate(
    name: Text,
    /,
    dataset: str | None = None,
    split: str | None = None,
    data: Path | None = None,
    samples: int = 10_000,
    metrics: tuple[str, ...] = (),
    extractor: str = "",
    seed: int = 0,
    runtime: Literal["torch", "onnx"] | None = None,
    resize: bool = False,
    whole: bool = False,
) -> None:
    """Measure a model against a dataset, and store the metrics in its bundle or run folder.

    Args:
        name: name of a model, ./folder of a bundle or run, or hf://org/repo.
        dataset: dataset of the real images; by default the training dataset of the model.
        split: part of the dataset, such as test, if it has parts.
        data: folder of the dataset; by default that of the model's run, or without a run the
            environment variable GANZOO_DATA.
        samples: number of images to generate, or of pairs for a model that translates images.
        metrics: names of metrics ('ganzoo list --kind metrics'); by default every default metric
            that fits the model and the dataset.
        extractor: extractor of the features ('ganzoo list --kind extractors'); by default the
            dataset's, and colour-64@1 for colour images whose dataset names none.
        seed: seed of the samples, and of random choices in a metric.
        runtime: torch or onnx; by default torch if it is installed.
        resize: resize images that differ from the size of the model or the extractor.
        whole: measure an upscaler on whole images, each at its own size, and print the means.
    """
    from ganzoo import benchmark

    evaluation = benchmark.evaluate(
        name,
        dataset=dataset,
        split=split,
        data=data,
        samples=samples,
        metrics=metrics,
        extractor=extractor,
        seed=seed,
        runtime=runtime,
        resize=resize,
        whole=whole,
    )
    print_out(name)
    for metric, value in evaluation.metrics.items():
        print_out(f"  {metric.replace('_', ' '):<28} {value:.6g}")
    print_out("protocol")
    for key, value in evaluation.protocol.items():
        print_out(f"  {key.replace('_', ' '):<28} {_flat(value)}")


def compare(
    names: tyro.conf.Positional[tuple[str, ...]],
    /,
    dataset: str | None = None,
    split: str | None = None,
    data: Path | None = None,
    samples: int = 10_000,
    metrics: tuple[str, ...] = (),
    extractor: str = "",
    seed: int = 0,
    resize: bool = False,
    output: MaybeOutput = None,
) -> None:
    """Compare models under one protocol: print a table, and draw samples of each model.

    Args:
        names: names of two or more models.
        dataset: dataset of the real images; by default the training dataset of the first model.
        split: part of the dataset, such as test, if it has parts.
        data: folder of the dataset; by default that of the model's run, or without a run the
            environment variable GANZOO_DATA.
        samples: number of images to generate with each model.
        metrics: metrics of the table ('ganzoo list --kind metrics'); by default frechet and
            precision-recall, where they can be computed.
        extractor: extractor of the features; by default the dataset's, and colour-64@1 for colour
            images whose dataset names none.
        seed: seed of the samples; image k has the same latents for each model.
        resize: resize images that differ from the size of the model or the extractor.
        output: image file to write or replace, .png or .svg; by default comparison.png, which
            replaces no file.
    """
    from ganzoo import benchmark, plots

    output = choose_output(output, "comparison.png")
    plots.check_ending(output, plots.FIGURES)
    rows = benchmark.compare(
        names,
        dataset=dataset,
        split=split,
        data=data,
        samples=samples,
        metrics=metrics,
        defaults=TABLE,
        extractor=extractor,
        seed=seed,
        resize=resize,
    )
    previews = {row.name: row.preview for row in rows}
    print_out(plots.save_figure(plots.draw_comparison(previews), output))
    runtimes = benchmark.RUNTIMES
    columns = list({metric: None for row in rows for metric in row.evaluation.metrics})
    heads = ["model", "parameters", "MB", *(f"{r} images/s" for r in runtimes), *columns]
    best = {metric: _best(metric, rows) for metric in columns}
    table = []
    for row in rows:
        rates = [row.images_per_second.get(runtime) for runtime in runtimes]
        table.append(
            [row.name, f"{row.parameters:,}", f"{row.bytes / 1e6:.2f}"]
            + [f"{rate:,.0f}" if rate else "-" for rate in rates]
            + [_format(row.evaluation.metrics.get(metric), best[metric]) for metric in columns]
        )
    widths = [max(map(len, column)) for column in zip(heads, *table, strict=True)]
    for cells in (heads, *table):
        print_out("  ".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True)))
    protocol = rows[0].evaluation.protocol
    print_out(
        f"{quantity(protocol['samples'], 'sample')} of seed {seed} against "
        f"{protocol['real_images']:,} real images ({_flat(protocol['dataset'])}), extractor "
        f"{protocol['extractor']}; * best value"
    )


def _best(metric: str, rows: Sequence[Row]) -> float | None:
    """Return the best value of a metric, None if neither higher nor lower is better."""
    from ganzoo.registry import better_of

    values = [row.evaluation.metrics[metric] for row in rows if metric in row.evaluation.metrics]
    match better_of(metric):
        case "higher":
            return max(values)
        case "lower":
            return min(values)
        case _:
            return None


def _format(value: float | None, best: float | None) -> str:
    return "-" if value is None else f"{value:.4g}{'*' * (value == best)}"


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {part}" for key, part in value.items())
    return str(value)
