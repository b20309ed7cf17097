"""Everything that an installed distribution registers."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from ganzoo.errors import UnknownNameError, did_you_mean, enumerate_names
from ganzoo.registry import REGISTRIES
from ganzoo.registry.distributions import normalise
from ganzoo.testing.architecture import Architecture
from ganzoo.testing.checked_plugin import CheckedPlugin
from ganzoo.testing.dataset import Dataset
from ganzoo.testing.loss import Loss
from ganzoo.testing.metric import Metric
from ganzoo.testing.penalty import Penalty
from ganzoo.testing.shipped import Model, Recipe
from ganzoo.testing.tracker import Tracker

GROUPS = [registry.group for registry in REGISTRIES]


def subjects_of(
    distribution: str,
    name: str | None = None,
    *,
    arguments: Mapping[str, Mapping[str, Any]] | None = None,
    data: Path | None = None,
    snapshots: Path | None = None,
    every_partner: bool = True,
) -> list[CheckedPlugin]:
    """Return what a distribution registers, to be checked, sorted by kind and name.

    Args:
        distribution: its name, as ``pip install`` takes it.
        name: a registered name, where not all are wanted.
        arguments: of factories, by label such as ``architecture sagan``.
        data: where the files of its datasets lie.
        snapshots: the folder that holds those of its architectures.
        every_partner: whether each trains with all partners that fit, or with one of each kind.

    Raises:
        UnknownNameError: it is not installed, registers nothing, has a group of entry points that
            ganzoo does not read, or nothing of that name; `arguments` of nothing there is.
    """
    distribution = normalise(distribution)
    _check_groups(distribution)
    entries = [(r, e) for r in REGISTRIES for e in r.entries() if e.distribution == distribution]
    if not entries:
        raise UnknownNameError(_nothing_of(distribution))
    names = {entry.name for _, entry in entries}
    if name is not None and name not in names:
        raise UnknownNameError(
            f"{distribution} registers nothing named {name!r}.{did_you_mean(name, names)} "
            f"It registers {enumerate_names(names)}."
        )
    given = dict(arguments or {})
    shared: dict[str, Any] = {"distribution": distribution, "every_partner": every_partner}
    subjects: list[CheckedPlugin] = []
    for registry, entry in entries:
        if name not in (None, entry.name):
            continue
        own = given.pop(f"{registry.kind} {entry.name}", None)
        match registry.kind:
            case "architecture":
                file = snapshots / f"{entry.name}.json" if snapshots else None
                subjects.append(Architecture(entry.name, own, snapshot=file, **shared))
            case "loss":
                subjects.append(Loss(entry.name, own, **shared))
            case "penalty":
                subjects.append(Penalty(entry.name, distribution=distribution))
            case "dataset":
                subjects.append(Dataset(entry.name, own, root=data, distribution=distribution))
            case "metric":
                subjects.append(Metric(entry.name, distribution=distribution))
            case "tracker":
                subjects.append(Tracker(entry.name, distribution=distribution))
            case "recipe":
                subjects.append(Recipe(entry.name, distribution=distribution))
            case "model":
                subjects.append(Model(entry.name, distribution=distribution))
    if given and name is None:
        labels = [subject.label for subject in subjects]
        unknown = next(iter(given))
        raise UnknownNameError(
            f"arguments are given for {unknown!r}, and {distribution} registers no such thing."
            f"{did_you_mean(unknown, labels)} It registers {enumerate_names(labels)}."
        )
    return subjects


def _check_groups(distribution: str) -> None:
    """Refuse a distribution with a group that looks like one of ganzoo's and is none."""
    try:
        points = metadata.distribution(distribution).entry_points
    except metadata.PackageNotFoundError:
        return
    for point in points:
        group = point.group
        if group.startswith("ganzoo") and group not in GROUPS:
            raise UnknownNameError(
                f"{distribution} registers {point.name!r} in {group!r}, which nothing reads."
                f"{did_you_mean(group, GROUPS)} Groups: {enumerate_names(GROUPS)}."
            )


def _nothing_of(distribution: str) -> str:
    installed = {normalise(name) for d in metadata.distributions() if (name := d.name)}
    if distribution in installed:
        return (
            f"{distribution} is installed, and registers nothing that ganzoo reads here. A plugin "
            'has entry points such as [project.entry-points."ganzoo.losses"] in its '
            "pyproject.toml; GANZOO_PLUGINS, where it is set, must admit it."
        )
    known = {e.distribution for r in REGISTRIES for e in r.entries() if e.distribution}
    return (
        f"no distribution named {distribution!r} is installed.{did_you_mean(distribution, known)} "
        f"Those that add to ganzoo: {enumerate_names(known)}."
    )
