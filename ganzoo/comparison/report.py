"""The files that a benchmark writes: results, figures, and a report as one HTML page."""

from __future__ import annotations

import base64
import html
import io
import warnings
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from string import Template

from PIL import Image

from ganzoo import plots
from ganzoo.bundle.files import write_file
from ganzoo.comparison.results import ARROWS, BenchmarkResults, BenchmarkRow, caption, to_json
from ganzoo.errors import PlotError, RunNotFoundError, printable
from ganzoo.registry import better_of

TEMPLATE = Path(__file__).with_name("report.html")
CURVES, SAMPLES, REPORT = "curves.png", "samples.png", "report.html"
SMALL = 320  # pixels of a grid that the page enlarges without smoothing
LARGE = 768  # pixels that larger grids are reduced to


def write_report(results: BenchmarkResults) -> None:
    """Write ``results.json``, ``results.md``, ``curves.png``, ``samples.png`` and ``report.html``.

    Raises:
        OutputError: a file cannot be written.
    """
    folder = results.path
    write_file(folder / "results.json", to_json(results))
    write_file(folder / "results.md", results.to_markdown())
    samples = {row.label: _samples(row) for row in results.rows}
    curves = {
        name: {
            row.label: [
                [(images, values[name]) for images, values in run.evaluations if name in values]
                for run in row.runs
            ]
            for row in results.rows
        }
        for name in results.metrics
    }
    try:
        plots.save_figure(plots.draw_bands(curves), folder / CURVES)
        drawn_curves = True
    except PlotError:  # no run is finished
        drawn_curves = False
    table = {label: images for label, images in samples.items() if images}
    if table:
        plots.save_figure(plots.draw_sample_table(table), folder / SAMPLES)
    write_file(folder / REPORT, _page(results, table, drawn_curves))


def _samples(row: BenchmarkRow) -> dict[str, Image.Image]:
    """Return the last sample grid of each run, by seed."""
    images = {}
    for run in row.runs:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of damaged files
                moments = plots.read_moments(plots.find_moments(run.folder)[-1:])
        except (PlotError, RunNotFoundError):  # it has not begun, or it diverged at once
            continue
        images[f"seed {run.seed}"] = moments[0][1]
    return images


def _page(
    results: BenchmarkResults, samples: dict[str, dict[str, Image.Image]], has_curves: bool
) -> str:
    spec = results.plan.spec
    largest = max((max(i.size) for row in samples.values() for i in row.values()), default=0)
    heads = [
        "",
        *(f"{_words(name)}{ARROWS.get(better_of(name) or '', '')}" for name in results.metrics),
    ]
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=_escape(spec.name),
        name=_escape(spec.name),
        description=_escape(spec.description),
        heads="".join(f"<th>{_escape(head)}</th>" for head in (*heads, *ENDS)),
        rows="\n".join(_row(results, row) for row in results.rows),
        caption=_escape(caption(results)),
        curves=_section(
            "Curves",
            "Mean over the seeds; the band is the range from the lowest to the highest.",
            f'<div class="wide"><img src="{_url((results.path / CURVES).read_bytes())}" '
            'alt="metrics over images seen"></div>',
        )
        if has_curves
        else "",
        samples=_section(
            "Samples",
            "Uncurated samples at the end of the training of the first seed.",
            f'<div class="samples">{"".join(map(_figure, samples.items()))}</div>',
        )
        if samples
        else "",
        notes=_notes(results),
        rendering="pixelated" if largest <= SMALL else "auto",
        spec=_escape(spec.to_toml()),
        version=metadata.version("torch-ganzoo"),
    )


ENDS = ("seeds", "images/s", "parameters")


def _row(results: BenchmarkResults, row: BenchmarkRow) -> str:
    means = results.best_means("final")
    cells = [f"<td>{_escape(row.label)}</td>"]
    for name in results.metrics:
        final, best = row.final.get(name), row.best.get(name)
        mark = ' class="best"' if final and final.mean == means.get(name) else ""
        small = f"<small>best {best}</small>" if best else ""
        cells.append(f"<td{mark}>{final or '-'}{small}</td>")
    speed = f"{row.speed.mean:,.0f}" if row.speed else "-"
    size = f"{row.parameters:,}" if row.parameters else "-"
    cells += [f"<td>{_escape(text)}</td>" for text in (row.state, speed, size)]
    return f"<tr>{''.join(cells)}</tr>"


def _figure(entry: tuple[str, dict[str, Image.Image]]) -> str:
    label, images = entry
    (seed, image), *_ = images.items()
    if max(image.size) > LARGE:
        image.thumbnail((LARGE, LARGE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "png", optimize=True)
    text = f"{_escape(label)}<small>{_escape(seed)}</small>"
    image_tag = f'<img src="{_url(buffer.getvalue())}" alt="samples of {_escape(label)}">'
    return f"<figure><figcaption>{text}</figcaption>{image_tag}</figure>"


def _notes(results: BenchmarkResults) -> str:
    failures = [f"{label}: {reason}" for label, reason in results.failures]
    findings = [
        f"{row.label}, seed {run.seed}: {', '.join(run.findings)}"
        for row in results.rows
        for run in row.runs
        if run.findings
    ]
    left = [f"{run.folder.name}: {run.status}, {run.images:,} images seen" for run in results.left]
    return "".join(
        _section(title, note, _list(lines))
        for title, note, lines in (
            ("Failures", "These runs are not part of the means.", failures),
            ("Warnings", "What the monitors report; these runs are part of the means.", findings),
            ("Not done", "The same command continues these runs.", left),
        )
        if lines
    )


def _section(title: str, note: str, body: str) -> str:
    return f'<section>\n<h2>{title}</h2>\n<p class="note">{note}</p>\n{body}\n</section>'


def _list(lines: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{_escape(line)}</li>' for line in lines)}</ul>"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _escape(text: str) -> str:
    return html.escape(printable(text))


def _url(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"
