"""The installed distributions that add to ganzoo, known from their metadata alone.

One whose metadata cannot be read adds nothing and says why; it takes nothing from the others.
"""

from __future__ import annotations

import functools
import os
import re
import sys
from dataclasses import dataclass
from importlib import metadata

DISTRIBUTION = "torch-ganzoo"
GROUPS = "ganzoo."  # what the groups of its entry points begin with
SWITCH = "GANZOO_PLUGINS"


@dataclass(frozen=True)
class Distribution:
    """An installed distribution with entry points of ganzoo's groups.

    Attributes:
        name: normalised as in PEP 503.
        version: as its metadata states it.
        points: its entry points in ganzoo's groups.
        requirements: of itself, as it states them.
        unreadable: why its metadata cannot be read and what to type; empty where it can.
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
        """What keeps all of it from being used and what to type, as the rest of a sentence.

        Empty where its metadata says nothing against it. It is found when it is asked for, since
        reading requirements takes longer than loading a small model.
        """
        return self.unreadable or _unmet(self.requirements)

    @property
    def admitted(self) -> bool:
        """Whether GANZOO_PLUGINS lets it in: unset means all, else ganzoo's own and those named."""
        switch = os.environ.get(SWITCH)
        if switch is None or self.name == DISTRIBUTION:
            return True
        return self.name in {normalise(part.strip()) for part in switch.split(",")}

    def say_switched_off(self) -> str:
        """Say that GANZOO_PLUGINS does not let it in, and what to type."""
        switch = os.environ.get(SWITCH, "")
        wanted = ",".join(filter(None, (switch, self.name)))
        return (
            f"{self} is installed but switched off: {SWITCH}={switch} does not list it. "
            f"Type {SWITCH}={wanted}, or unset it"
        )


def normalise(name: str) -> str:
    """Return a distribution's name as PEP 503 compares it: ``Acme__Gans`` is ``acme-gans``."""
    return re.sub(r"[-_.]+", "-", name).lower()


def installed() -> tuple[Distribution, ...]:
    """Return the distributions that add to ganzoo, or mean to, sorted by name.

    Of several versions of one, it is the first on the path, whose modules are imported too.
    """
    return _scan(tuple((folder, _modified(folder)) for folder in sys.path))


def find(name: str) -> Distribution | None:
    """Return the distribution of that name, in any spelling, if it adds to ganzoo."""
    name = normalise(name)
    return next((each for each in installed() if each.name == name), None)


def find_unreadable() -> list[str]:
    """Name the distributions whose entry points cannot be read, whomever they are for.

    One of them makes Python's own `importlib.metadata.entry_points` fail for all who ask it.
    """
    unreadable = []
    for each in metadata.distributions():
        try:
            each.entry_points  # noqa: B018 - a property that reads them
        except Exception:  # noqa: BLE001 - what stands in a stranger's files is unknown
            unreadable.append(f"{each.name} {each.version}")
    return unreadable


def breaks_promises(before: str, now: str) -> bool:
    """Whether one of two versions may be incompatible with the other, by https://semver.org.

    They are where the major versions differ; below 1.0 the minor one counts as major.
    """
    from packaging.version import InvalidVersion, Version

    try:
        first, second = Version(before), Version(now)
    except InvalidVersion:
        return before != now
    promises = [(v.epoch, v.major, 0 if v.major else v.minor) for v in (first, second)]
    return promises[0] != promises[1]


def _modified(folder: str) -> int:
    """By this importlib knows, too, whether something was installed since."""
    try:
        return os.stat(folder or ".").st_mtime_ns
    except OSError:
        return 0


@functools.lru_cache(maxsize=1)
def _scan(path: tuple[tuple[str, int], ...]) -> tuple[Distribution, ...]:
    found: dict[str, Distribution] = {}
    for each in metadata.distributions():
        known = _read(each)
        if known is not None:
            found.setdefault(known.name, known)
    return tuple(found[name] for name in sorted(found))


def _read(found: metadata.Distribution) -> Distribution | None:
    """Read a distribution; None where it adds nothing, or is not the first of its name."""
    if not _adds(found):
        return None
    name = version = ""
    try:
        about = found.metadata
        name, version = normalise(_header(about, "Name")), _header(about, "Version")
        if metadata.distribution(name).locate_file("") != found.locate_file(""):
            return None
        points = tuple(point for point in found.entry_points if point.group.startswith(GROUPS))
        asked = () if name == DISTRIBUTION else about.get_all("Requires-Dist") or ()
        return Distribution(name, version, points, tuple(map(str, asked)))
    except Exception as error:  # noqa: BLE001 - what stands in a stranger's files is unknown
        trouble = f"has metadata that cannot be read ({type(error).__name__}: {error}): "
        remedy = f"pip install --force-reinstall {name}" if name else "install it anew"
        return Distribution(
            name or f"a distribution in {found.locate_file('')}",
            version,
            unreadable=trouble + remedy,
        )


def _adds(found: metadata.Distribution) -> bool:
    try:
        return GROUPS in (found.read_text("entry_points.txt") or "")
    except UnicodeDecodeError as error:
        return GROUPS.encode() in error.object


def _header(about: metadata.PackageMetadata, key: str) -> str:
    values = about.get_all(key)
    if not values:
        raise ValueError(f"METADATA states no {key}")
    return str(values[0])


@functools.cache
def _unmet(requirements: tuple[str, ...]) -> str:
    """What of a distribution's requirements this ganzoo does not meet."""
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
            wanted = f"{DISTRIBUTION}{requirement.specifier}"
            return f"needs {wanted}, and {_our_version()} is installed: pip install '{wanted}'"
    return ""


@functools.cache
def _our_version() -> str:
    return metadata.version(DISTRIBUTION)
