"""Names -> objects, from this process and from the entry points of installed distributions.

Listing reads metadata only and runs no plugin's code; an object is imported at its first use. One
plugin's trouble stays its own.
"""

from __future__ import annotations

import fnmatch
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from ganzoo.errors import (
    AmbiguousNameError,
    ArchitectureError,
    BrokenPluginError,
    DataError,
    DeploymentError,
    ExtractorError,
    GanzooError,
    MissingPluginError,
    RecipeError,
    UnknownNameError,
    describe,
    did_you_mean,
    enumerate_names,
    missing_extra,
)
from ganzoo.registry import distributions
from ganzoo.registry.distributions import DISTRIBUTION, SWITCH
from ganzoo.registry.entries import Entry, entry_of
from ganzoo.registry.names import HubModel, parse_registered
from ganzoo.spec import DataSpec, Metric, Recipe

T = TypeVar("T")
F = TypeVar("F")


class Registry(Generic[T]):
    """One kind of thing that plugins add, such as ``ganzoo.architectures``.

    A plugin registers with an entry point in its pyproject.toml::

        [project.entry-points."ganzoo.architectures"]
        sagan = "acme_gans.sagan:sagan"

    and a script or notebook with the decorator ``@ganzoo.architectures.register("sagan")``.
    """

    def __init__(
        self,
        kind: str,
        accepts: Callable[[object], bool],
        expects: str,
        refusal: type[GanzooError] = BrokenPluginError,
    ) -> None:
        self.kind = kind
        plural = {"loss": "losses", "penalty": "penalties"}.get(kind, f"{kind}s")
        self.group = f"ganzoo.{plural.replace(' ', '_')}"
        self._accepts = accepts
        self._expects = expects
        self._refusal = refusal
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

    def addresses(self, among: Collection[str | None]) -> list[str]:
        """Return what to call what some distributions, and this process, register.

        That is its name, or its address where another distribution has the name too.
        """
        entries = self.entries()
        count = Counter(entry.name for entry in entries)
        return [
            entry.address if count[entry.name] > 1 else entry.name
            for entry in entries
            if entry.distribution is None or entry.distribution in among
        ]

    def prefer(self, name: str, distribution: str | None) -> str:
        """Return a name, or its address in a distribution where others register it too."""
        found = [entry for entry in self.entries() if entry.name == name]
        its_own = [entry.address for entry in found if entry.distribution == distribution]
        return its_own[0] if its_own and len(found) > 1 else name

    def _installed(self, admitted: bool = True) -> list[Entry]:
        return [
            entry_of(point, distribution)
            for distribution in distributions.installed()
            if distribution.admitted is admitted
            for point in distribution.points
            if point.group == self.group
        ]

    def entry(self, name: str) -> Entry:
        """Find one registration without loading it.

        Args:
            name: a registered name, or ``distribution:name``.

        Raises:
            NameSyntaxError: not a name.
            UnknownNameError: no registration has this name.
            MissingPluginError: its distribution is not installed, or is switched off.
            AmbiguousNameError: several have it.
        """
        wanted = parse_registered(name)
        entries = self.entries()
        if wanted.distribution:
            owner = distributions.normalise(wanted.distribution)
            entries = [e for e in entries if e.distribution == owner]
        found = [e for e in entries if e.name == wanted.name]
        if not found:
            raise self._absent(name, {e.name for e in entries})
        if len(found) > 1:
            raise AmbiguousNameError(
                f"several distributions register the {self.kind} {wanted.name!r}. "
                f"Say {' or '.join(repr(e.address) for e in found)}, or name in {SWITCH} the "
                "distributions to admit."
            )
        return found[0]

    def _absent(self, name: str, known: set[str]) -> GanzooError:
        """Say why a name is not to be had, and what is known where it was looked for."""
        wanted = parse_registered(name)
        off = (e.distribution for e in self._installed(admitted=False) if e.name == wanted.name)
        owner = distributions.find(wanted.distribution or next(off, None) or "")
        if owner and not owner.admitted:
            return MissingPluginError(f"{self.kind} {name!r}: {owner.say_switched_off()}.")
        if owner and owner.trouble:
            return BrokenPluginError(f"{self.kind} {name!r}: {owner} {owner.trouble}")
        if wanted.distribution and not known:
            return MissingPluginError(
                f"{self.kind} {name!r}: the distribution {wanted.distribution!r} is not "
                f"installed or registers no {self.kind}. "
                f"pip install {wanted.distribution}, or see `ganzoo plugins`."
            )
        unreadable = [d for d in distributions.installed() if d.trouble and not d.points]
        return UnknownNameError(
            f"no {self.kind} named {name!r}.{did_you_mean(wanted.name, known)} "
            f"Installed: {enumerate_names(known)}."
            + "".join(f" {each} {each.trouble}." for each in unreadable if each.admitted)
        )

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
        if entry.trouble:
            raise BrokenPluginError(
                f"{self.kind} {entry.name!r} of {entry.provider} {entry.trouble}"
            )
        if entry.distribution is None:
            thing = self._here[entry.name][1]
        else:
            point = metadata.EntryPoint(entry.name, entry.target, self.group)
            try:
                thing = point.load()
            except (Exception, SystemExit) as error:
                raise self._failed(entry, error, "could not be loaded") from error
        if not self._accepts(thing):
            is_class = isinstance(thing, type)
            shown = f"the class {thing.__name__}" if is_class else type(thing).__name__
            because = f"it is {shown}, not {self._expects}"
            raise BrokenPluginError(self._broken(entry, because, "could not be loaded"))
        return cast(T, thing)

    def make(self, name: str | Entry, *context: Any, **arguments: Any) -> Any:
        """Call the function behind a name.

        Raises:
            GanzooError: the function refuses what it is given, by one itself or by a ValueError or
                RuntimeError; then it is an ArchitectureError, RecipeError, DataError or
                ExtractorError, after what was to be made.
            BrokenPluginError: the function fails otherwise.
            UnknownNameError, ...: as `get`.
        """
        entry = name if isinstance(name, Entry) else self.entry(name)
        factory: Any = self.load(entry)
        try:
            return factory(*context, **arguments)
        except GanzooError:
            raise
        except (ValueError, RuntimeError) as error:
            data = next((each for each in context if isinstance(each, DataSpec)), None)
            images = f" for images of {data.image}" if data else ""
            text = f"{self.kind} {entry.name!r} cannot be made{images}: {error}."
            raise self._refusal(text) from error
        except (Exception, SystemExit) as error:
            raise self._failed(entry, error, "could not be built") from error

    def cite(self, name: str) -> str:
        """Return a registration and where it comes from, as an error names it."""
        entry = self.entry(name)
        return f"{self.kind} {entry.name!r} of {entry.provider}"

    def _failed(self, entry: Entry, error: BaseException, what: str) -> GanzooError:
        if entry.distribution == DISTRIBUTION and isinstance(error, ModuleNotFoundError):
            return missing_extra(f"{self.kind} {entry.name!r}", error)
        return BrokenPluginError(self._broken(entry, describe(error), what))

    def _broken(self, entry: Entry, because: str, what: str) -> str:
        remedy = "Repair or uninstall it"
        if entry.extras:
            remedy = f"pip install '{entry.distribution}[{','.join(entry.extras)}]'"
        return (
            f"{self.kind} {entry.name!r} is installed but {what}.\n"
            f"  from      {entry.provider}   ({self.group}: {entry.name} = {entry.target})\n"
            f"  because   {because}\n"
            f"{remedy}; {SWITCH}= switches all plugins off."
        )

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __len__(self) -> int:
        return len(self.names())

    def __contains__(self, name: object) -> bool:
        return any(entry.name == name for entry in self.entries())

    def __repr__(self) -> str:
        return f"<{self.group}: {enumerate_names(self.names())}>"


def _is_penalty(thing: object) -> bool:
    # By name: the class itself needs torch, which a registry does not import.
    ancestors = thing.__mro__ if isinstance(thing, type) else ()
    penalty = ("ganzoo.games.penalties", "Penalty")
    return any((each.__module__, each.__name__) == penalty for each in ancestors)


architectures: Registry[Callable[..., Any]] = Registry(
    "architecture", callable, "a function", ArchitectureError
)
"""Functions ``(data: DataSpec, *, ...) -> dict[role, nn.Module]``."""

losses: Registry[Callable[..., Any]] = Registry("loss", callable, "a function", RecipeError)
"""Functions ``(*, ...) -> ganzoo.Loss``."""


penalties: Registry[type[Any]] = Registry(
    "penalty", _is_penalty, "a subclass of ganzoo.games.Penalty", RecipeError
)
"""Subclasses of `ganzoo.games.Penalty`: terms of the discriminator's loss."""

datasets: Registry[Callable[..., Any]] = Registry("dataset", callable, "a function", DataError)
"""Functions ``(root: Path | None, *, ...) -> (torch dataset, DataSpec)``."""

extractors: Registry[Callable[..., Any]] = Registry(
    "extractor", callable, "a function", ExtractorError
)
"""Functions ``() -> ganzoo.Extractor``."""

export_targets: Registry[Callable[..., Any]] = Registry(
    "export target", callable, "a function", DeploymentError
)
"""Functions ``(bundle: Bundle, out: Path) -> ganzoo.exporters.targets.TargetFiles``."""

metrics: Registry[Metric] = Registry(
    "metric", lambda thing: isinstance(thing, Metric), "a ganzoo.Metric"
)
"""`ganzoo.Metric` objects."""

trackers: Registry[Callable[..., Any]] = Registry("tracker", callable, "a function or a class")
"""Functions ``() -> ganzoo.Tracker``, or the classes."""

monitors: Registry[Callable[..., Any]] = Registry("monitor", callable, "a function")
"""Functions ``(training: ganzoo.training.Prepared) -> ganzoo.Monitor | None``."""

recipes: Registry[Recipe | Path] = Registry(
    "recipe", lambda thing: isinstance(thing, Recipe | Path), "a Recipe or the Path of a TOML file"
)
"""Recipes, or paths of their TOML files."""

models: Registry[Path | HubModel] = Registry(
    "model",
    lambda thing: isinstance(thing, Path | HubModel),
    "the Path of a bundle or a HubModel",
)
"""Paths of bundles that ship inside a distribution, or where on the Hub one lies."""

REGISTRIES: tuple[Registry[Any], ...] = (
    models,
    recipes,
    architectures,
    losses,
    penalties,
    datasets,
    extractors,
    export_targets,
    metrics,
    monitors,
    trackers,
)

COMPONENTS: tuple[Registry[Any], ...] = (architectures, losses, datasets)


def find_recipe(name: str | Path) -> Recipe:
    """Return a registered recipe, or read a TOML file (a path, or a name ending in ``.toml``).

    Raises:
        RecipeError: the file is not a recipe.
        UnknownNameError, BrokenPluginError, ...: as `Registry.get`.
    """
    if isinstance(name, Path) or name.endswith(".toml"):
        return Recipe.from_toml(Path(name))
    entry = recipes.entry(name)
    found = recipes.load(entry)
    recipe = found if isinstance(found, Recipe) else Recipe.from_toml(found)
    # Another plugin may register a name that the recipe uses; it means its own distribution's.
    own = {}
    for registry in COMPONENTS:
        component = getattr(recipe, registry.kind)
        name = registry.prefer(component.name, entry.distribution)
        own[registry.kind] = replace(component, name=name)
    return replace(recipe, **own)
