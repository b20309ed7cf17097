"""List models, recipes, components and plugins."""

from __future__ import annotations

import os
from typing import Any, Literal

from ganzoo.bundle.summary import describe_recipe, find_summary
from ganzoo.cli.tables import on_one_line, print_items, print_table
from ganzoo.errors import GanzooError, UnknownNameError, did_you_mean
from ganzoo.registry import REGISTRIES, Registry, distributions
from ganzoo.registry.docstrings import Description, docstring_of, read_description
from ganzoo.registry.entries import Entry
from ganzoo.registry.sources import read_docstring
from ganzoo.system.terminal import print_json, print_out

# distance: the Fréchet distance to the training data, with the extractor of that data.
HEADINGS = (
    *("name", "data", "image", "classes", "params", "size", "distance"),
    *("licence", "status", "package", "description"),
)
NUMBERS = ("classes", "params", "size", "distance")

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


def list_(pattern: str, kind: Kind, as_json: bool = False) -> None:
    """List what is installed, without running the code of plugins.

    Raises:
        UnknownNameError: `pattern` is no wildcard, and nothing has this name.
    """
    plurals = {word: r.plural for r in REGISTRIES for word in (r.plural, r.kind.replace(" ", "-"))}
    if kind == "all" and pattern in plurals:
        pattern, kind = "*", plurals[pattern]  # type: ignore[assignment]
    groups = {
        registry: registry.entries(pattern)
        for registry in REGISTRIES
        if kind in ("all", registry.plural)
    }
    if not any(groups.values()) and not set(pattern) & set("*?["):
        names = {name for registry in groups for name in registry.names()}
        raise UnknownNameError(
            f"nothing is named {pattern!r}."
            f"{did_you_mean(pattern, {*names, *plurals.values()} if kind == 'all' else names)} "
            "'ganzoo list' shows all names."
        )
    if as_json:
        print_json(
            {
                registry.plural: [as_dict(registry, entry) for entry in entries]
                for registry, entries in groups.items()
            }
        )
        return
    for registry, entries in groups.items():
        print_out(f"{registry.plural}{'' if entries else '  (none)'}")
        if registry.kind == "model":
            if entries:
                print_table([HEADINGS, *map(_row, entries)], NUMBERS)
        elif kind == "all":
            _print_names(registry, entries)
        else:
            print_items([(entry.name, _lines(registry, entry)) for entry in entries])
    for distribution in distributions.installed():
        if distribution.admitted and distribution.trouble and not distribution.points:
            print_out(f"{distribution} {distribution.trouble}")


def describe(registry: Registry[Any], entry: Entry) -> Description:
    """Return the description of a registration, without running the code of other distributions."""
    if registry.kind == "recipe":
        return read_description(describe_recipe(entry))
    text = read_docstring(entry) if entry.distribution else ""
    if not text and (entry.distribution in (None, distributions.DISTRIBUTION)):
        try:
            thing = registry.load(entry)
            text = docstring_of(thing.compute if registry.kind == "metric" else thing)
        except GanzooError:  # of ganzoo's own that needs torch
            text = ""
    return read_description(text)


def as_dict(registry: Registry[Any], entry: Entry) -> dict[str, Any]:
    """Return a registration for JSON."""
    table: dict[str, Any] = {
        "name": entry.name,
        "kind": registry.kind,
        "package": entry.distribution,
        "version": entry.version,
        "trouble": entry.trouble,
    }
    if registry.kind == "model":
        if summary := find_summary(entry):
            image = summary.spec.data.image
            table |= {
                "description": summary.description,
                "dataset": summary.dataset,
                "image": [image.height, image.width, image.channels],
                "classes": summary.spec.data.classes if "y" in summary.spec.inputs else 0,
                "parameters": summary.parameters,
                "bytes": summary.bytes,
                "frechet_distance": summary.distance,
                "license": summary.spec.data.license,
            }
        return table
    description = describe(registry, entry)
    return table | {
        "description": description.summary,
        "paper": {"authors": description.authors, "url": description.url},
    }


def _lines(registry: Registry[Any], entry: Entry) -> list[str]:
    """Return the description of a registration, its paper and its plugin."""
    description = describe(registry, entry)
    provider = "" if entry.distribution == distributions.DISTRIBUTION else entry.provider
    return [description.summary, description.paper, provider, entry.trouble]


def _print_names(registry: Registry[Any], entries: list[Entry]) -> None:
    for entry in entries:
        description = describe_recipe(entry) if registry.kind == "recipe" else ""
        provider = f"{entry.provider}{trouble_of(entry.trouble)}"
        print_out(on_one_line(f"  {entry.name:<24} {provider:<24} {description}").rstrip())


def _row(entry: Entry) -> tuple[str, ...]:
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
        f"{summary.description}{trouble_of(entry.trouble)}",
    )


def plugins() -> None:
    """List the installed plugins, and the names that each registers."""
    for distribution in distributions.installed():
        state = "" if distribution.admitted else f"   switched off: {distributions.SWITCH}"
        print_out(f"{distribution}{state}{trouble_of(distribution.trouble)}")
        for registry in REGISTRIES:
            names = [point.name for point in distribution.points if point.group == registry.group]
            if names:
                print_out(
                    f"  {registry.group.removeprefix('ganzoo.'):<14} {', '.join(sorted(names))}"
                )
    if distributions.SWITCH in os.environ:
        switch = os.environ[distributions.SWITCH]
        print_out(f"{distributions.SWITCH}={switch}: only these plugins are switched on.")


def trouble_of(text: str) -> str:
    """Return the end of a line that states why a registration or a plugin cannot be used."""
    return f"   {text}" if text else ""
