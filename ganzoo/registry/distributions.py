"""Installed distributions that extend ganzoo, found by their metadata without importing them.

A distribution with unreadable metadata provides nothing; it does not affect the others.
"""

from __future__ import annotations

import functools
import os
import re
import sys
from dataclasses import dataclass
from importlib import metadata

DISTRIBUTION = "torch-ganzoo"
GROUPS = "ganzoo."  # prefix of the groups of entry points
SWITCH = "GANZOO_PLUGINS"


@dataclass(frozen=True)
class Distribution:
    """An installed distribution with entry points in ganzoo's groups.

    Attributes:
        name: name, normalised as in PEP 503.
        version: version in its metadata.
        points: its entry points in ganzoo's groups.
        requirements: its dependencies, as PEP 508 strings.
        unreadable: why its metadata cannot be read, and the command that repairs it; empty if
            the metadata can be read.
    """

    name: str
    version: str
    points: tuple[metadata.EntryPoint, ...] = ()
    requirements: tuple[str, ...] = ()
    unreadable: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.version}".rstrip()

    @property
    def trouble(self) -> str:
        """Why nothing of it can be used and what to type: the end of a sentence, empty if usable.

        Computed on access, because reading requirements takes longer than loading a small model.
        """
        return self.unreadable or _unmet(self.requirements)

    @property
    def admitted(self) -> bool:
        """Whether GANZOO_PLUGINS, if set, lists it; ganzoo's own is always admitted."""
        switch = os.environ.get(SWITCH)
        if switch is None or self.name == DISTRIBUTION:
            return True
        return self.name in {normalise(part.strip()) for part in switch.split(",")}

    def say_switched_off(self) -> str:
        """Return the message that GANZOO_PLUGINS does not admit it, and what to type."""
        switch = os.environ.get(SWITCH, "")
        extended = ",".join(filter(None, (switch, self.name)))
        return (
            f"{self} is installed but switched off: {SWITCH}={switch} does not list it. "
            f"Type {SWITCH}={extended}, or unset it"
        )


def normalise(name: str) -> str:
    """Return a distribution's name as PEP 503 compares it: ``Acme__Gans`` is ``acme-gans``."""
    return re.sub(r"[-_.]+", "-", name).lower()


def installed() -> tuple[Distribution, ...]:
    """Return the distributions with entry points in ganzoo's groups, sorted by name.

    Of several installed versions, return the first one on the path, which Python imports too.
    """
    return _scan(tuple((folder, _modified(folder)) for folder in sys.path))


def find(name: str) -> Distribution | None:
    """Return the distribution with this name, in any spelling, if it extends ganzoo, or None."""
    name = normalise(name)
    return next((d for d in installed() if d.name == name), None)


def find_unreadable() -> list[str]:
    """Return names and versions of all distributions whose entry points cannot be read.

    A single one makes Python's own `importlib.metadata.entry_points` fail for every caller.
    """
    unreadable = []
    for distribution in metadata.distributions():
        try:
            distribution.entry_points  # noqa: B018 - a property that reads them
        except Exception:  # noqa: BLE001 - damaged metadata may raise anything
            unreadable.append(f"{distribution.name} {distribution.version}")
    return unreadable


def may_be_incompatible(before: str, now: str) -> bool:
    """Return whether two versions may be incompatible, according to https://semver.org.

    They are if the major versions differ; below 1.0, if the minor versions differ.
    """
    from packaging.version import InvalidVersion, Version

    try:
        first, second = Version(before), Version(now)
    except InvalidVersion:
        return before != now
    majors = [(v.epoch, v.major, 0 if v.major else v.minor) for v in (first, second)]
    return majors[0] != majors[1]


def _modified(folder: str) -> int:
    """Return when a folder changed last; importlib uses this, too, to detect installations."""
    try:
        return os.stat(folder or ".").st_mtime_ns
    except OSError:
        return 0


@functools.lru_cache(maxsize=1)
def _scan(path: tuple[tuple[str, int], ...]) -> tuple[Distribution, ...]:
    distributions: dict[str, Distribution] = {}
    for candidate in metadata.distributions():
        distribution = _read(candidate)
        if distribution is not None:
            distributions.setdefault(distribution.name, distribution)
    return tuple(distributions[name] for name in sorted(distributions))


def _read(candidate: metadata.Distribution) -> Distribution | None:
    """Read a distribution; None if it does not extend ganzoo, or is not the first of its name."""
    if not _extends_ganzoo(candidate):
        return None
    name = version = ""
    try:
        headers = candidate.metadata
        name, version = normalise(_header(headers, "Name")), _header(headers, "Version")
        # As text: two paths into the same zip archive are not equal.
        if str(metadata.distribution(name).locate_file("")) != str(candidate.locate_file("")):
            return None
        points = tuple(p for p in candidate.entry_points if p.group.startswith(GROUPS))
        requirements = () if name == DISTRIBUTION else headers.get_all("Requires-Dist") or ()
        return Distribution(name, version, points, tuple(map(str, requirements)))
    except Exception as error:  # noqa: BLE001 - damaged metadata may raise anything
        trouble = f"has metadata that cannot be read ({type(error).__name__}: {error}): "
        remedy = f"pip install --force-reinstall {name}" if name else "install it again"
        return Distribution(
            name or f"a distribution in {candidate.locate_file('')}",
            version,
            unreadable=trouble + remedy,
        )


def _extends_ganzoo(candidate: metadata.Distribution) -> bool:
    try:
        return GROUPS in (candidate.read_text("entry_points.txt") or "")
    except UnicodeDecodeError as error:
        return GROUPS.encode() in error.object


def _header(headers: metadata.PackageMetadata, key: str) -> str:
    values = headers.get_all(key)
    if not values:
        raise ValueError(f"METADATA has no {key}")
    return str(values[0])


@functools.cache
def _unmet(requirements: tuple[str, ...]) -> str:
    """Return which requirement on ganzoo the installed version does not meet; empty if none."""
    ours = [r for r in requirements if normalise(r).startswith(DISTRIBUTION)]
    if not ours:
        return ""
    from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
    from packaging.requirements import InvalidRequirement, Requirement

    for text in ours:
        try:
            requirement = Requirement(text)
            marker = requirement.marker
            applies = marker is None or marker.evaluate({"extra": ""})
        except (InvalidRequirement, UndefinedComparison, UndefinedEnvironmentName):
            continue
        if normalise(requirement.name) != DISTRIBUTION or not applies:
            continue
        if not requirement.specifier.contains(_our_version(), prereleases=True):
            needed = f"{DISTRIBUTION}{requirement.specifier}"
            return f"needs {needed}, and {_our_version()} is installed: pip install '{needed}'"
    return ""


@functools.cache
def _our_version() -> str:
    return metadata.version(DISTRIBUTION)
