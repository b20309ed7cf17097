"""List models, recipes, components and plugins."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from shutil import get_terminal_size
from typing import Any, Literal

from ganzoo.cli.arguments import Text
from ganzoo.cli.formatting import brief
from ganzoo.errors import MALFORMED, quantity
from ganzoo.registry.entries import Entry
from ganzoo.spec import IMPORTED, INITIAL, ONNX, ModelSpec, is_parity
from ganzoo.system.terminal import print_out

# distance: the Fréchet distance to the training data, with the extractor of that data.
HEADINGS = (
    *("name", "data", "image", "classes", "params", "size", "distance"),
    *("licence", "status", "package", "description"),
)

INVALID = "not in the format of ganzoo"
FIRST, FURTHER = "  ", "    "  # indents of the first line of a row, and of its other lines

Kind = Literal[
    "all",
    "models",
    "recipes",
    "architectures",
    "losses",
    "penalties",
    "datasets",
    "extractors",
    "export-targets",
    "importers",
    "metrics",
    "monitors",
    "samplers",
    "trackers",
]


def list_(pattern: str, kind: Kind) -> None:
    """List what is installed, without running the code of plugins."""
    from ganzoo.bundle.summary import describe_recipe
    from ganzoo.registry import REGISTRIES, distributions

    for registry in REGISTRIES:
        plural = registry.group.removeprefix("ganzoo.").replace("_", "-")
        if kind not in ("all", plural):
            continue
        entries = registry.entries(pattern)
        print_out(f"{plural}{'' if entries else '  (none)'}")
        if plural == "models":
            if entries:
                _print_table([HEADINGS, *map(_row, entries)])
            continue
        for entry in entries:
            description = describe_recipe(entry) if plural == "recipes" else ""
            provider = f"{entry.provider}{_trouble(entry.trouble)}"
            print_out(_on_one_line(f"  {entry.name:<24} {provider:<24} {description}").rstrip())
    for distribution in distributions.installed():
        if distribution.admitted and distribution.trouble and not distribution.points:
            print_out(f"{distribution} {distribution.trouble}")


def _row(entry: Entry) -> tuple[str, ...]:
    from ganzoo.bundle.summary import find_summary

    if (summary := find_summary(entry)) is None:
        return (
            entry.name,
            *[""] * (len(HEADINGS) - 4),
            "not shipped",
            entry.provider,
            entry.trouble,
        )
    data, distance = summary.spec.data, summary.distance
    return (
        entry.name,
        summary.dataset,
        str(data.image),
        str(data.classes) if "y" in summary.spec.inputs else "",
        f"{summary.parameters:,}",
        f"{summary.bytes / 1e6:.1f} MB",
        "" if distance is None else f"{distance:.4g}",
        data.license or "",
        "shipped",
        entry.provider,
        f"{summary.description}{_trouble(entry.trouble)}",
    )


def _print_table(rows: Sequence[tuple[str, ...]]) -> None:
    """Print a table; in a narrow terminal, fold each row into several lines."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    numbers = {HEADINGS.index(name) for name in ("classes", "params", "size", "distance")}
    lines = _fold(widths, get_terminal_size().columns if sys.stdout.isatty() else sys.maxsize)
    for row in rows:
        cells = [
            cell.rjust(width) if k in numbers else cell.ljust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        for line in lines:
            text = "  ".join(cells[k] for k in line).rstrip()
            if text.strip():
                print_out(_on_one_line(f"{FIRST if line is lines[0] else FURTHER}{text}"))


def _fold(widths: Sequence[int], columns: int) -> list[list[int]]:
    """Return the indices of the table's columns on each line of a row."""
    lines, used = [[0]], len(FIRST) + widths[0]
    for index, width in enumerate(widths[1:], start=1):
        used += 2 + width
        if used <= columns:
            lines[-1].append(index)
        else:
            lines.append([index])
            used = len(FURTHER) + width
    return lines


def _sizes(spec: ModelSpec) -> dict[str, Any]:
    """Return the rows on the images of a translator of any size."""
    if (sizes := spec.sizes) is None:
        return {}
    exact = f"exact, with an overlap of {2 * sizes.reach}" if sizes.reach is not None else "blended"
    return {
        "sizes": f"any, padded to multiples of {sizes.multiple}",
        **({"scale": sizes.scale} if sizes.scale > 1 else {}),
        "tiles": exact,
    }


def info(name: Text, /) -> None:
    """Show the architecture, inputs, data and provenance of a model.

    Args:
        name: name of a model, ./folder or hf://org/repo.
    """
    from ganzoo import zoo
    from ganzoo.cards.facts import describe_distribution
    from ganzoo.cards.training import describe_changes

    spec = zoo.info(name)
    provenance = spec.provenance
    arguments = ", ".join(f"{k}={v}" for k, v in spec.arguments.items())
    rows: dict[str, Any] = {
        "architecture": f"{spec.architecture}({arguments})",
        "image": spec.data.image,
        **_sizes(spec),
        "reads": ", ".join(spec.inputs),
        "latent": f"{spec.latent.dim} x {describe_distribution(spec)}" if spec.latent else "none",
        "classes": spec.data.classes if "y" in spec.inputs else "none",
        "networks": ", ".join(spec.roles)
        + (f"; for further training {', '.join(roles)}" if (roles := spec.training_roles) else ""),
        **({"data": spec.data.origin} if spec.data.origin else {}),
        **_images(spec),
        "licence": _licence(spec),
        "needs": ", ".join(spec.requires) or "only ganzoo",
    } | {
        key.replace("_", " "): value
        for key, value in provenance.items()
        if key not in ("recipe", "data", "metrics", "history") and not isinstance(value, dict)
    }
    if reason := spec.onnx_failure:
        rows[ONNX] = f"none, so it runs on torch alone: {reason}"
    if imported := spec.recorded(IMPORTED):
        rows["imported from"] = f"{imported.get('file')} of {imported.get('project')}"
    if initial := spec.recorded(INITIAL):
        rows["initial"] = f"weights of {initial.get('model')}, {initial.get('weights_id')}"
    try:
        for number, (moment, changes) in enumerate(describe_changes(provenance), start=1):
            rows[f"history {number}"] = f"{moment}: {changes}"
    except MALFORMED:
        rows["history"] = INVALID
    for part in ("versions", "plugins", *filter(is_parity, provenance)):
        if isinstance(provenance.get(part), dict):
            rows[part.replace("_", " ")] = _or_invalid(_figures, provenance[part])
    metrics = provenance.get("metrics", [])
    for number, evaluation in enumerate(metrics if isinstance(metrics, list) else [None], start=1):
        rows[f"metrics {number}"] = _or_invalid(_metrics, evaluation)
    print_out(spec.name)
    for key, value in rows.items():
        print_out(f"  {key:<14} {_on_one_line(value)}")


def _licence(spec: ModelSpec) -> str:
    """Return the licences of the weights: after `--init-from`, of the model and of the images."""
    advice = "state it in the card: license: ID in its header"
    if not (initial := spec.recorded(INITIAL)):
        return spec.license or f"not recorded; {advice}"
    try:
        names = " and ".join(each["name"] or each["id"] for each in initial["licenses"])
    except MALFORMED:
        names = INVALID
    images = spec.data.license or f"not stated; {advice}"
    return f"of the initial weights {names or 'not recorded'}; of the images {images}"


def _images(spec: ModelSpec) -> dict[str, str]:
    """Return rows about the image files that the model was trained on."""
    from ganzoo.cards.training import describe_images

    try:
        return dict(describe_images(spec.recorded("data")))
    except MALFORMED:
        return {"fit": INVALID}


def _or_invalid(describe: Callable[[Any], str], field: Any) -> str:
    """Return the description of a field of the provenance, which is free-form."""
    try:
        return describe(field)
    except MALFORMED:
        return INVALID


def _figures(figures: dict[str, Any]) -> str:
    return ", ".join(f"{k.replace('_', ' ')} {brief(v)}" for k, v in figures.items())


def _metrics(evaluation: dict[str, Any]) -> str:
    protocol = evaluation["protocol"]
    return (
        f"{_figures(evaluation['metrics'])} ({quantity(protocol['samples'], 'sample')}, "
        f"{protocol.get('extractor', 'pair by pair')}, "
        f"{' '.join(map(str, protocol['dataset'].values()))})"
    )


def _on_one_line(value: Any) -> str:
    return " ".join(str(value).splitlines())


def plugins() -> None:
    """List the installed plugins, and the names that each registers."""
    from ganzoo.registry import REGISTRIES, distributions

    for distribution in distributions.installed():
        state = "" if distribution.admitted else f"   switched off: {distributions.SWITCH}"
        print_out(f"{distribution}{state}{_trouble(distribution.trouble)}")
        for registry in REGISTRIES:
            names = [point.name for point in distribution.points if point.group == registry.group]
            if names:
                print_out(
                    f"  {registry.group.removeprefix('ganzoo.'):<14} {', '.join(sorted(names))}"
                )
    if distributions.SWITCH in os.environ:
        switch = os.environ[distributions.SWITCH]
        print_out(f"{distributions.SWITCH}={switch}: only these plugins are switched on.")


def _trouble(text: str) -> str:
    return f"   {text}" if text else ""
