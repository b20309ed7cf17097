"""What there is: models, recipes, components, plugins."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from shutil import get_terminal_size
from typing import Any, Literal

from ganzoo.cli.arguments import Text
from ganzoo.cli.formatting import brief, is_parity
from ganzoo.registry.entries import Entry

# The distance is Frechet's, to the data that the model was trained on, by that data's extractor.
HEADINGS = (
    *("name", "data", "image", "classes", "params", "size", "distance"),
    *("licence", "place", "from", "what it is"),
)

FIRST, FURTHER = "  ", "    "  # what a row's first line, and its others, begin with

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
    "metrics",
    "monitors",
    "trackers",
]


def list_(pattern: str, kind: Kind) -> None:
    """List what is installed; runs no plugin's code."""
    from ganzoo.bundle.summary import describe_recipe
    from ganzoo.registry import REGISTRIES, distributions

    for registry in REGISTRIES:
        plural = registry.group.removeprefix("ganzoo.").replace("_", "-")
        if kind not in ("all", plural):
            continue
        entries = registry.entries(pattern)
        print(f"{plural}{'' if entries else '  (none)'}")
        if plural == "models":
            if entries:
                _print_table([HEADINGS, *map(_row, entries)])
            continue
        for entry in entries:
            what = describe_recipe(entry) if plural == "recipes" else ""
            provider = f"{entry.provider}{_trouble(entry.trouble)}"
            print(_printable(f"  {entry.name:<24} {provider:<24} {what}").rstrip())
    for distribution in distributions.installed():
        if distribution.admitted and distribution.trouble and not distribution.points:
            print(f"{distribution} {distribution.trouble}")


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
    """One line a row; in a terminal that is narrower, as many as it takes, in columns too."""
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
                print(_printable(f"{FIRST if line is lines[0] else FURTHER}{text}"))


def _fold(widths: Sequence[int], room: int) -> list[list[int]]:
    """Which columns share a line."""
    lines, used = [[0]], len(FIRST) + widths[0]
    for column, width in enumerate(widths[1:], start=1):
        used += 2 + width
        if used <= room:
            lines[-1].append(column)
        else:
            lines.append([column])
            used = len(FURTHER) + width
    return lines


def info(name: Text, /) -> None:
    """Show what a model is and where it comes from.

    Args:
        name: a model's name, ./folder or hf://org/repo.
    """
    from ganzoo import zoo

    spec = zoo.info(name)
    made = spec.provenance
    arguments = ", ".join(f"{k}={v}" for k, v in spec.arguments.items())
    rows: dict[str, Any] = {
        "architecture": f"{spec.architecture}({arguments})",
        "image": spec.data.image,
        "reads": ", ".join(spec.inputs),
        "latent": f"{spec.latent.dim} x N(0, 1)" if spec.latent else "none",
        "classes": spec.data.classes if "y" in spec.inputs else "none to choose from",
        "networks": ", ".join(spec.roles),
        "data": spec.data.origin,
        "licence": spec.data.license or "not recorded",
        "needs": ", ".join(spec.requires) or "nothing but ganzoo",
    } | {
        key.replace("_", " "): value
        for key, value in made.items()
        if key not in ("recipe", "data", "metrics") and not isinstance(value, dict)
    }
    for part in ("versions", "plugins", *filter(is_parity, made)):
        if isinstance(made.get(part), dict):
            rows[part.replace("_", " ")] = ", ".join(
                f"{k.replace('_', ' ')} {brief(v)}" for k, v in made[part].items()
            )
    try:
        rows |= _figures(made.get("metrics", []))
    except (LookupError, TypeError, AttributeError, ValueError):  # which anybody may have written
        rows["metrics"] = "stated in another form than ganzoo's"
    print(spec.name)
    for key, value in rows.items():
        print(_printable(f"  {key:<14} {value}"))


def _figures(metrics: list[Any]) -> dict[str, str]:
    rows = {}
    for number, each in enumerate(metrics, start=1):
        protocol = each["protocol"]
        figures = ", ".join(f"{k.replace('_', ' ')} {brief(v)}" for k, v in each["metrics"].items())
        rows[f"metrics {number}"] = (
            f"{figures} ({protocol['samples']:,} samples, "
            f"{protocol.get('extractor', 'pair by pair')}, "
            f"{' '.join(map(str, protocol['dataset'].values()))})"
        )
    return rows


def _printable(text: str) -> str:
    """A stranger's text without what would command the terminal."""
    return "".join(c if c.isprintable() else " " for c in text)


def plugins() -> None:
    """Show the installed distributions that add to ganzoo, and what each adds."""
    from ganzoo.registry import REGISTRIES, distributions

    for distribution in distributions.installed():
        state = "" if distribution.admitted else f"   switched off: {distributions.SWITCH}"
        print(f"{distribution}{state}{_trouble(distribution.trouble)}")
        for registry in REGISTRIES:
            names = [p.name for p in distribution.points if p.group == registry.group]
            if names:
                print(f"  {registry.group.removeprefix('ganzoo.'):<14} {', '.join(sorted(names))}")
    if distributions.SWITCH in os.environ:
        switch = os.environ[distributions.SWITCH]
        print(f"{distributions.SWITCH}={switch} admits those it lists, beside ganzoo's own.")


def _trouble(text: str) -> str:
    return f"   {text}" if text else ""
