"""The plugins of an installed distribution, under test."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from importlib import metadata
from itertools import chain
from pathlib import Path
from typing import Any

from ganzoo.errors import UnknownNameError, did_you_mean, enumerate_names
from ganzoo.registry import REGISTRIES
from ganzoo.registry.distributions import normalise
from ganzoo.registry.own_plugins import OWN_PLUGINS, install_command
from ganzoo.testing.architecture import Architecture
from ganzoo.testing.checked_plugin import CheckedPlugin
from ganzoo.testing.dataset import Dataset
from ganzoo.testing.export_target import ExportTarget
from ganzoo.testing.extractor import Extractor
from ganzoo.testing.importer import Importer
from ganzoo.testing.loss import Loss
from ganzoo.testing.metric import Metric
from ganzoo.testing.monitor import Monitor
from ganzoo.testing.penalty import Penalty
from ganzoo.testing.sampler import Sampler
from ganzoo.testing.shipped import Model, Recipe
from ganzoo.testing.tracker import Tracker

GROUPS = [registry.group for registry in REGISTRIES]
WITHOUT_ARGUMENTS: dict[str, type[CheckedPlugin]] = {
    subject.registry.kind: subject
    for subject in (
        *(Penalty, Metric, Extractor, Monitor, Tracker, Sampler, ExportTarget),
        *(Recipe, Model),
    )
}


def subjects_of(
    distribution: str,
    name: str | None = None,
    *,
    arguments: Mapping[str, Mapping[str, Any]] | None = None,
    data: Path | None = None,
    snapshots: Path | None = None,
    every_partner: bool = True,
) -> list[CheckedPlugin]:
    """Return the plugins that a distribution registers, sorted by kind and name.

    Args:
        distribution: its name, as in ``pip install``.
        name: return only plugins with this registered name.
        arguments: arguments of factories, by label such as ``architecture sagan``.
        data: folder with the files of its datasets.
        snapshots: folder with the snapshots of its architectures.
        every_partner: whether each trains with all partners that fit, or with one of each kind.

    Raises:
        UnknownNameError: the distribution is not installed, registers nothing or nothing with
            this name, or has an unknown group of entry points; or `arguments` has an unknown label.
    """
    spelling, distribution = distribution, normalise(distribution)
    _check_groups(distribution)
    entries = [(r, e) for r in REGISTRIES for e in r.entries() if e.distribution == distribution]
    if not entries:
        raise UnknownNameError(_nothing_of(spelling))
    names = {entry.name for _, entry in entries}
    if name is not None and name not in names:
        raise UnknownNameError(
            f"{distribution} registers nothing named {name!r}.{did_you_mean(name, names)} "
            f"It registers {enumerate_names(names)}."
        )
    unused = dict(arguments or {})
    shared: dict[str, Any] = {"distribution": distribution, "every_partner": every_partner}
    subjects: list[CheckedPlugin] = []
    for registry, entry in entries:
        if name not in (None, entry.name):
            continue
        own = unused.pop(f"{registry.kind} {entry.name}", None)
        match registry.kind:
            case "architecture":
                file = snapshots / f"{entry.name}.json" if snapshots else None
                subjects.append(Architecture(entry.name, own, snapshot=file, **shared))
            case "loss":
                subjects.append(Loss(entry.name, own, **shared))
            case "dataset":
                subjects.append(Dataset(entry.name, own, root=data, distribution=distribution))
            case "importer":
                subjects.append(Importer(entry.name, distribution=distribution))
            case kind:
                subjects.append(WITHOUT_ARGUMENTS[kind](entry.name, distribution))
    if unused and name is None:
        labels = [subject.label for subject in subjects]
        unknown = next(iter(unused))
        raise UnknownNameError(
            f"there are arguments for {unknown!r}, which {distribution} does not register."
            f"{did_you_mean(unknown, labels)} It registers {enumerate_names(labels)}."
        )
    return subjects


def _check_groups(distribution: str) -> None:
    """Check that each group of entry points that starts with ``ganzoo`` is one of ganzoo's."""
    try:
        points = metadata.distribution(distribution).entry_points
    except metadata.PackageNotFoundError:
        return
    for point in points:
        group = point.group
        if group.startswith("ganzoo") and group not in GROUPS:
            raise UnknownNameError(
                f"{distribution} registers {point.name!r} in {group!r}, which is not a group of "
                "ganzoo's."
                f"{did_you_mean(group, GROUPS)} Groups: {enumerate_names(GROUPS)}."
            )


def _nothing_of(name: str) -> str:
    """Return why a name is not that of an installed plugin, and what to type."""
    distribution = normalise(name)
    installed = {normalise(d.name) for d in metadata.distributions() if d.name}
    if distribution in installed:
        return (
            f"{distribution} is installed, but registers nothing for ganzoo. A plugin "
            'has entry points such as [project.entry-points."ganzoo.losses"] in its '
            "pyproject.toml; if GANZOO_PLUGINS is set, it must list the plugin."
        )
    owners = [(r, e) for r in REGISTRIES for e in r.entries() if e.name == name and e.distribution]
    if owners:
        registry, entry = owners[0]
        return (
            f"{name!r} is a {registry.kind} of {entry.distribution}, and the checks need the name "
            f"of a distribution. Use: ganzoo check {entry.distribution} {name}"
        )
    plugins = [p for p, groups in OWN_PLUGINS.items() if name in (p, *chain(*groups.values()))]
    if plugins:
        return f"{plugins[0]} is not installed. Type {install_command(plugins[0])}."
    if Path(name).is_dir():
        return (
            f"{name!r} is a folder. Install the plugin first: pip install {shlex.quote(name)}. "
            "Then use: ganzoo check DISTRIBUTION. To check a bundle's card, use: "
            f"ganzoo card check {shlex.quote(name)}"
        )
    known = {e.distribution for r in REGISTRIES for e in r.entries() if e.distribution}
    return (
        f"no distribution named {distribution!r} is installed.{did_you_mean(distribution, known)} "
        f"Distributions that extend ganzoo: {enumerate_names(known)}."
    )
