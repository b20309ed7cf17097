"""Measure models, alone and side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import tyro

from ganzoo.cli.arguments import Output, Text

if TYPE_CHECKING:
    from ganzoo.benchmark import Row


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
) -> None:
    """Measure a model's samples against a dataset; the folder of a bundle or run keeps the figures.

    Args:
        name: a model's name, ./folder of a bundle or run, or hf://org/repo.
        dataset: what to compare with; by default what the model was trained on.
        split: which part of it, such as test, where it has parts.
        data: where it lies; by default GANZOO_DATA.
        samples: how many images the model makes.
        metrics: which ('ganzoo list --kind metrics'); by default all of ganzoo's own that fit,
            and those of plugins that ask for it. What makes images out of images is measured pair
            by pair.
        extractor: by whose features ('ganzoo list --kind extractors'); by default the dataset's.
        seed: of the samples, and of whatever a metric draws.
        runtime: torch or onnx; by default torch where it is installed.
        resize: resize images that are not of the model's or the extractor's size.
    """
    from ganzoo import benchmark

    found = benchmark.evaluate(
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
    )
    print(name)
    for figure, value in found.metrics.items():
        print(f"  {figure.replace('_', ' '):<28} {value:.6g}")
    print("protocol")
    for key, value in found.protocol.items():
        print(f"  {key.replace('_', ' '):<28} {_flat(value)}")


def compare(
    names: tyro.conf.Positional[tuple[str, ...]],
    /,
    dataset: str | None = None,
    split: str | None = None,
    data: Path | None = None,
    samples: int = 10_000,
    metrics: tuple[str, ...] = ("frechet", "precision-recall"),
    extractor: str = "",
    seed: int = 0,
    resize: bool = False,
    output: Output = Path("comparison.png"),
) -> None:
    """Measure models side by side under one protocol, and draw a row of samples of each.

    Args:
        names: of two models or more.
        dataset: what to compare with; by default what the first model was trained on.
        split: which part of it, where it has parts.
        data: where it lies; by default GANZOO_DATA.
        samples: how many images each model makes.
        metrics: which figures the table has.
        extractor: by whose features; by default the dataset's own.
        seed: of the samples: image k of each model has the same one.
        resize: resize images that are not of the model's or the extractor's size.
        output: the picture to write, .png or .svg.
    """
    from ganzoo import benchmark, plots

    plots.check_ending(output, plots.FIGURES)
    rows = benchmark.compare(
        names,
        dataset=dataset,
        split=split,
        data=data,
        samples=samples,
        metrics=metrics,
        extractor=extractor,
        seed=seed,
        resize=resize,
    )
    pictures = {row.name: row.preview for row in rows}
    print(plots.save_figure(plots.draw_comparison(pictures), output))
    runtimes = benchmark.RUNTIMES
    figures = list({figure: None for row in rows for figure in row.evaluation.metrics})
    heads = ["model", "parameters", "MB", *(f"{r} images/s" for r in runtimes), *figures]
    best = {figure: _best(figure, rows) for figure in figures}
    table = []
    for row in rows:
        rates = [row.images_per_second.get(runtime) for runtime in runtimes]
        table.append(
            [row.name, f"{row.parameters:,}", f"{row.bytes / 1e6:.2f}"]
            + [f"{rate:,.0f}" if rate else "-" for rate in rates]
            + [_figure(row.evaluation.metrics.get(figure), best[figure]) for figure in figures]
        )
    widths = [max(map(len, column)) for column in zip(heads, *table, strict=True)]
    for cells in (heads, *table):
        print("  ".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True)))
    said = rows[0].evaluation.protocol
    print(
        f"{said['samples']:,} samples of seed {seed} against {said['real_images']:,} images "
        f"({_flat(said['dataset'])}), by {said['extractor']}; * best"
    )


def _best(figure: str, rows: Sequence[Row]) -> float | None:
    """The best value of a figure, None where neither low nor high values are better."""
    from ganzoo.registry import direction_of

    values = [row.evaluation.metrics[figure] for row in rows if figure in row.evaluation.metrics]
    match direction_of(figure):
        case "higher":
            return max(values)
        case "lower":
            return min(values)
        case _:
            return None


def _figure(value: float | None, best: float | None) -> str:
    return "-" if value is None else f"{value:.4g}{'*' * (value == best)}"


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {part}" for key, part in value.items())
    return str(value)
