"""Names -> objects, from this process and from the entry points of installed distributions.

Listing reads metadata only and runs no plugin's code; an object is imported at its first use. One
plugin's trouble stays its own.
"""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from ganzoo.errors import (
    AmbiguousNameError,
    BrokenPluginError,
    MissingPluginError,
    UnknownNameError,
    did_you_mean,
    enumerate_names,
    missing_extra,
)
from ganzoo.names import parse_registered
from ganzoo.spec import Recipe

T = TypeVar("T")
F = TypeVar("F")

DISTRIBUTION = "torch-ganzoo"
SWITCH = "GANZOO_PLUGINS"


@dataclass(frozen=True)
class Entry:
    """One registration, known without importing it.

    Attributes:
        name: the registered name.
        distribution: normalised name of the distribution that registers it, None for this process.
        version: that distribution's version.
        target: ``module:attribute``.
    """

    name: str
    distribution: str | None
    version: str | None
    target: str

    @property
    def address(self) -> str:
        """The name that is never ambiguous between distributions."""
        return f"{self.distribution}:{self.name}" if self.distribution else self.name

    @property
    def requirement(self) -> tuple[str, ...]:
        """PEP 508 requirement of the distribution, none for an object of this process."""
        return (f"{self.distribution}>={self.version}",) if self.distribution else ()


def normalise(distribution: str) -> str:
    """Return a distribution's name in the one form that entries have, lower-case with ``-``."""
    return distribution.lower().replace("_", "-").replace(".", "-")


def _admitted(distribution: str) -> bool:
    """Whether GANZOO_PLUGINS lets a distribution in: unset means all, else those it lists."""
    switch = os.environ.get(SWITCH)
    if switch is None or distribution == DISTRIBUTION:
        return True
    return distribution in {normalise(part.strip()) for part in switch.split(",")}


class Registry(Generic[T]):
    """One kind of thing that plugins add, such as ``ganzoo.architectures``.

    A plugin registers with an entry point in its pyproject.toml::

        [project.entry-points."ganzoo.architectures"]
        sagan = "acme_gans.sagan:sagan"

    and a script or notebook with the decorator ``@ganzoo.architectures.register("sagan")``.
    """

    def __init__(self, kind: str, accepts: Callable[[object], bool], expects: str) -> None:
        self.kind = kind
        self.group = "ganzoo." + {"loss": "losses"}.get(kind, f"{kind}s")
        self._accepts = accepts
        self._expects = expects
        self._here: dict[str, tuple[Entry, T]] = {}

    def register(self, name: str) -> Callable[[F], F]:
        """Register the decorated object in this process; running a cell again replaces it.

        Raises:
            NameSyntaxError: `name` is not lower-case words joined by ``-``, ``.`` or ``_``.
            AmbiguousNameError: another object of this process or of a distribution has the name.
        """
        name = parse_registered(name).name

        def decorate(thing: F) -> F:
            target = f"{getattr(thing, '__module__', '')}:{getattr(thing, '__qualname__', '')}"
            here = [self._here[name][0]] if name in self._here else []
            for known in here + self._installed():
                if known.name == name and known.target != target:
                    owner = known.distribution or "this process"
                    raise AmbiguousNameError(
                        f"{self.kind} {name!r} is already {known.target} of {owner}. "
                        f"{target} needs another name."
                    )
            self._here[name] = (Entry(name, None, None, target), cast(T, thing))
            return thing

        return decorate

    def unregister(self, name: str) -> None:
        """Forget a name that was registered in this process."""
        self._here.pop(name, None)

    def entries(self, pattern: str = "*") -> list[Entry]:
        """Return all registrations whose name matches a wildcard, sorted by name."""
        installed = set(self._installed())
        targets = {entry.target for entry in installed}
        # A module may both decorate its object and be its entry point: one registration.
        here = {entry for entry, _ in self._here.values() if entry.target not in targets}
        matching = (e for e in installed | here if fnmatch.fnmatchcase(e.name, pattern))
        return sorted(matching, key=lambda e: (e.name, e.distribution or ""))

    def names(self, pattern: str = "*") -> list[str]:
        """Return the registered names that match a wildcard such as ``dcgan-*``."""
        return sorted({entry.name for entry in self.entries(pattern)})

    def _installed(self) -> list[Entry]:
        return [
            Entry(point.name, normalise(point.dist.name), point.dist.version, point.value)
            for point in metadata.entry_points(group=self.group)
            if point.dist is not None and _admitted(normalise(point.dist.name))
        ]

    def entry(self, name: str) -> Entry:
        """Find one registration without loading it.

        Args:
            name: a registered name, or ``distribution:name``.

        Raises:
            NameSyntaxError: not a name.
            UnknownNameError: no registration has this name.
            MissingPluginError: the distribution that was named is not installed.
            AmbiguousNameError: several have it.
        """
        wanted = parse_registered(name)
        entries = self.entries()
        found = [e for e in entries if e.name == wanted.name]
        if wanted.distribution:
            distribution = normalise(wanted.distribution)
            found = [e for e in found if e.distribution == distribution]
            if not found and distribution not in {e.distribution for e in entries}:
                raise MissingPluginError(
                    f"{self.kind} {name!r}: the distribution {wanted.distribution!r} is not "
                    f"installed or registers no {self.kind}. "
                    f"pip install {wanted.distribution}, or see `ganzoo plugins`."
                )
        if not found:
            names = {e.name for e in entries}
            raise UnknownNameError(
                f"no {self.kind} named {name!r}.{did_you_mean(wanted.name, names)} "
                f"Installed: {enumerate_names(names)}."
            )
        if len(found) > 1:
            raise AmbiguousNameError(
                f"several distributions register the {self.kind} {wanted.name!r}. "
                f"Say {' or '.join(repr(e.address) for e in found)}."
            )
        return found[0]

    def get(self, name: str) -> T:
        """Return the object behind a name, importing it at first use.

        Raises:
            BrokenPluginError: it cannot be imported, or is not what this registry holds.
            NameSyntaxError, UnknownNameError, MissingPluginError, AmbiguousNameError: see `entry`.
        """
        return self.load(self.entry(name))

    def load(self, entry: Entry) -> T:
        """Return the object of one registration.

        Raises:
            BrokenPluginError: it cannot be imported, or is not what this registry holds.
            MissingExtraError: it is ganzoo's own and needs an optional dependency.
        """
        thing: Any
        if entry.distribution is None:
            thing = self._here[entry.name][1]
        else:
            point = metadata.EntryPoint(entry.name, entry.target, self.group)
            try:
                thing = point.load()
            except Exception as error:
                if entry.distribution == DISTRIBUTION and isinstance(error, ModuleNotFoundError):
                    raise missing_extra(f"{self.kind} {entry.name!r}", error) from error
                because = f"{type(error).__name__}: {error}"
                raise BrokenPluginError(self._broken(entry, because)) from error
        if not self._accepts(thing):
            because = f"it is {type(thing).__name__}, not {self._expects}"
            raise BrokenPluginError(self._broken(entry, because))
        return cast(T, thing)

    def _broken(self, entry: Entry, because: str) -> str:
        source = f"{entry.distribution} {entry.version}" if entry.distribution else "this process"
        return (
            f"{self.kind} {entry.name!r} is installed but could not be loaded.\n"
            f"  from      {source}   ({self.group}: {entry.name} = {entry.target})\n"
            f"  because   {because}\n"
            f"Repair or uninstall it; {SWITCH}= switches all plugins off."
        )

    def __contains__(self, name: object) -> bool:
        return any(entry.name == name for entry in self.entries())

    def __repr__(self) -> str:
        return f"<{self.group}: {enumerate_names(self.names())}>"


architectures: Registry[Callable[..., Any]] = Registry("architecture", callable, "a function")
"""Functions ``(data: DataSpec, *, ...) -> dict[role, nn.Module]``."""

losses: Registry[Callable[..., Any]] = Registry("loss", callable, "a function")
"""Functions ``(*, ...) -> ganzoo.Loss``."""

datasets: Registry[Callable[..., Any]] = Registry("dataset", callable, "a function")
"""Functions ``(root: Path | None, *, ...) -> (torch dataset, DataSpec)``."""

recipes: Registry[Recipe | Path] = Registry(
    "recipe", lambda thing: isinstance(thing, Recipe | Path), "a Recipe or the Path of a TOML file"
)
"""Recipes, or paths of their TOML files."""

models: Registry[Path] = Registry(
    "model", lambda thing: isinstance(thing, Path), "the Path of a bundle"
)
"""Paths of bundles that ship inside a distribution."""

REGISTRIES: tuple[Registry[Any], ...] = (models, recipes, architectures, losses, datasets)


def find_recipe(name: str | Path) -> Recipe:
    """Return a registered recipe, or read a TOML file (a path, or a name ending in ``.toml``).

    Raises:
        RecipeError: the file is not a recipe.
        UnknownNameError, BrokenPluginError, ...: as `Registry.get`.
    """
    if isinstance(name, Path) or name.endswith(".toml"):
        return Recipe.from_toml(Path(name))
    found = recipes.get(name)
    return found if isinstance(found, Recipe) else Recipe.from_toml(found)
