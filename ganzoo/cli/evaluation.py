"""Measure models, and compare several models."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import tyro

from ganzoo.cli.arguments import AsJson, Text
from ganzoo.cli.outputs import MaybeOutput, choose_output
from ganzoo.cli.tables import print_items, print_table
from ganzoo.errors import quantity
from ganzoo.registry import DIRECTIONS, better_of, unit_of
from ganzoo.system.terminal import print_json, print_out

if TYPE_CHECKING:
    from ganzoo.comparison.models import Row
    from ganzoo.evaluation.evaluator import Evaluation

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
    as_json: AsJson = False,
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
    from ganzoo.comparison import models

    evaluation = models.evaluate(
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
    if as_json:
        print_json({"model": name, **evaluation.to_dict(), **_scales([evaluation])})
        return
    scales = _scales([evaluation])
    print_out(name)
    print_items(
        [
            (
                metric.replace("_", " "),
                [
                    f"{value:.6g} {scales['units'][metric]}".rstrip(),
                    DIRECTIONS[scales["better"][metric]],
                ],
            )
            for metric, value in evaluation.metrics.items()
        ]
    )
    print_out("protocol")
    print_items(
        [(key.replace("_", " "), [_flat(value)]) for key, value in evaluation.protocol.items()]
    )


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
    as_json: AsJson = False,
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
    from ganzoo import plots
    from ganzoo.comparison import models

    output = choose_output(output, "comparison.png")
    plots.check_ending(output, plots.FIGURES)
    rows = models.compare(
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
    figure = plots.save_figure(plots.draw_comparison(previews), output)
    scales = _scales([row.evaluation for row in rows])
    better, units = scales["better"], scales["units"]
    protocol = rows[0].evaluation.protocol
    if as_json:
        entries = [
            {
                "name": row.name,
                "parameters": row.parameters,
                "bytes": row.bytes,
                "images_per_second": row.images_per_second,
                "metrics": row.evaluation.metrics,
            }
            for row in rows
        ]
        document = {"models": entries, **scales, "protocol": protocol, "figure": str(figure)}
        print_json(document)
        return
    print_out(figure)
    runtimes = models.RUNTIMES
    columns = {metric: f"{metric} {unit}".rstrip() for metric, unit in units.items()}
    heads = ["model", "parameters", "MB", *(f"{r} images/s" for r in runtimes), *columns.values()]
    best = {metric: _best(metric, rows) for metric in columns}
    table = []
    for row in rows:
        rates = [row.images_per_second.get(runtime) for runtime in runtimes]
        table.append(
            [row.name, f"{row.parameters:,}", f"{row.bytes / 1e6:.2f}"]
            + [f"{rate:,.0f}" if rate else "-" for rate in rates]
            + [_format(row.evaluation.metrics.get(metric), best[metric]) for metric in columns]
        )
    print_table([heads, *table], heads[1:])
    for direction in ("lower", "higher"):
        if values := [metric for metric in columns if better[metric] == direction]:
            print_out(f"{DIRECTIONS[direction]}: {', '.join(values)}")
    print_out(
        f"{quantity(protocol['samples'], 'sample')} of seed {seed} against "
        f"{protocol['real_images']:,} real images ({_flat(protocol['dataset'])}), extractor "
        f"{protocol['extractor']}; * best value"
    )


def _scales(evaluations: Sequence[Evaluation]) -> dict[str, dict[str, str]]:
    """Return by value whether higher or lower values are better, and the units."""
    names = dict.fromkeys(name for evaluation in evaluations for name in evaluation.metrics)
    return {
        "better": {name: better_of(name) or "neither" for name in names},
        "units": {name: unit_of(name) for name in names},
    }


def _best(metric: str, rows: Sequence[Row]) -> float | None:
    """Return the best value of a metric, None if neither higher nor lower is better."""
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
