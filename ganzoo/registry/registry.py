"""Registries: names -> objects, from this process and from entry points of distributions.

Listing reads metadata only and runs no code of plugins; an object is imported at its first use. A
broken plugin does not affect the others.
"""

from __future__ import annotations

import contextlib
import fnmatch
import sys
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
    SampleError,
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
from ganzoo.registry.own_plugins import find_owner, install_command
from ganzoo.registry.zipped import on_disk
from ganzoo.spec import DataSpec, Metric, Recipe
from ganzoo.spec.parsing import shorten

T = TypeVar("T")
F = TypeVar("F")


class Registry(Generic[T]):
    """The registered objects of one kind, such as ``ganzoo.architectures``.

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
        self.plural = plural.replace(" ", "-")
        self.group = f"ganzoo.{plural.replace(' ', '_')}"
        self._accepts = accepts
        self._expects = expects
        self._refusal = refusal
        self._here: dict[str, tuple[Entry, T]] = {}

    def register(self, name: str) -> Callable[[F], F]:
        """Return a decorator that registers an object in this process.

        Registering an object again, such as by running a notebook cell again, replaces it.

        Raises:
            NameSyntaxError: `name` is not lower-case words joined by ``-``, ``.`` or ``_``.
            AmbiguousNameError: another object of this process or of a distribution has this name.
        """
        name = parse_registered(name).name

        def decorate(thing: F) -> F:
            target = f"{getattr(thing, '__module__', '')}:{getattr(thing, '__qualname__', '')}"
            here = [self._here[name][0]] if name in self._here else []
            for entry in here + self._installed():
                if entry.name == name and entry.target != target:
                    owner = entry.distribution or "this process"
                    raise AmbiguousNameError(
                        f"{self.kind} {name!r} is already {entry.target} of {owner}. "
                        f"Register {target} under another name."
                    )
            self._here[name] = (Entry(name, None, None, target), cast(T, thing))
            return thing

        return decorate

    def unregister(self, name: str) -> None:
        """Remove a name that this process registered, if there is one."""
        self._here.pop(name, None)

    def own_names(self) -> frozenset[str]:
        """Return the names that this process registered."""
        return frozenset(self._here)

    def entries(self, pattern: str = "*") -> list[Entry]:
        """Return all registrations whose name matches a wildcard, sorted by name."""
        installed = set(self._installed())
        known = {(entry.name, entry.target) for entry in installed}
        # An object that is decorated and an entry point, under one name, is one registration.
        here = {e for e, _ in self._here.values() if (e.name, e.target) not in known}
        matching = (e for e in installed | here if fnmatch.fnmatchcase(e.name, pattern))
        return sorted(matching, key=lambda e: (e.name, e.distribution or ""))

    def names(self, pattern: str = "*") -> list[str]:
        """Return the registered names that match a wildcard such as ``dcgan-*``."""
        return sorted({entry.name for entry in self.entries(pattern)})

    def addresses(self, among: Collection[str | None]) -> list[str]:
        """Return the names registered by the given distributions and by this process.

        A name that several distributions register becomes its address, ``distribution:name``.
        """
        entries = self.entries()
        count = Counter(entry.name for entry in entries)
        return [
            entry.address if count[entry.name] > 1 else entry.name
            for entry in entries
            if entry.distribution is None or entry.distribution in among
        ]

    def prefer(self, name: str, distribution: str | None) -> str:
        """Return a name, or its address in `distribution` if others register the name too."""
        entries = [entry for entry in self.entries() if entry.name == name]
        preferred = [entry.address for entry in entries if entry.distribution == distribution]
        return preferred[0] if preferred and len(entries) > 1 else name

    def _installed(self, admitted: bool = True) -> list[Entry]:
        return [
            entry_of(point, distribution)
            for distribution in distributions.installed()
            if distribution.admitted is admitted
            for point in distribution.points
            if point.group == self.group
        ]

    def entry(self, name: str) -> Entry:
        """Return one registration without loading the object.

        Args:
            name: a registered name, or ``distribution:name``.

        Raises:
            NameSyntaxError: `name` has another form.
            UnknownNameError: no registration has this name.
            MissingPluginError: the distribution is not installed, or is switched off.
            AmbiguousNameError: several distributions register this name.
        """
        query = parse_registered(name)
        entries = self.entries()
        if query.distribution:
            owner = distributions.normalise(query.distribution)
            entries = [e for e in entries if e.distribution == owner]
        matches = [e for e in entries if e.name == query.name]
        if not matches:
            raise self._absent(name, {e.name for e in entries})
        if len(matches) > 1:
            raise AmbiguousNameError(
                f"several distributions register the {self.kind} {query.name!r}. "
                f"Use {' or '.join(repr(e.address) for e in matches)}, or set {SWITCH} to the "
                "distributions to switch on."
            )
        return matches[0]

    def _absent(self, name: str, known: set[str]) -> GanzooError:
        """Return the error for a name without a registration.

        Args:
            name: the name, or ``distribution:name``.
            known: the registered names, of that distribution if there is one.
        """
        query = parse_registered(name)
        off = (e.distribution for e in self._installed(admitted=False) if e.name == query.name)
        owner = distributions.find(query.distribution or next(off, None) or "")
        if owner and not owner.admitted:
            return MissingPluginError(f"{self.kind} {name!r}: {owner.say_switched_off()}.")
        if owner and owner.trouble:
            return BrokenPluginError(f"{self.kind} {name!r}: {owner} {owner.trouble}")
        if query.distribution and not known:
            return MissingPluginError(
                f"{self.kind} {name!r}: the distribution {query.distribution!r} is not "
                f"installed or registers no {self.kind}. "
                f"{install_command(distributions.normalise(query.distribution))}, or see "
                "`ganzoo plugins`."
            )
        if not query.distribution and (plugin := find_owner(self.group, query.name)):
            return MissingPluginError(
                f"{self.kind} {name!r} belongs to the plugin {plugin}, which is not installed. "
                f"Type {install_command(plugin)}."
            )
        unreadable = [d for d in distributions.installed() if d.trouble and not d.points]
        return UnknownNameError(
            f"no {self.kind} named {shorten(name)!r}.{did_you_mean(query.name, known)} "
            f"Installed: {enumerate_names(known)}."
            + "".join(f" {d} {d.trouble}." for d in unreadable if d.admitted)
        )

    def get(self, name: str) -> T:
        """Return the object with a name, importing it at first use.

        Raises:
            BrokenPluginError: it cannot be imported, or is not of this registry's type.
            NameSyntaxError, UnknownNameError, MissingPluginError, AmbiguousNameError: see `entry`.
        """
        return self.load(self.entry(name))

    def load(self, entry: Entry) -> T:
        """Return the object of one registration.

        Raises:
            BrokenPluginError: it cannot be imported, or is not of this registry's type.
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
                with _quiet_import(point.module):
                    thing = point.load()
            except (Exception, SystemExit) as error:
                raise self._failed(entry, error, "could not be loaded") from error
        if not self._accepts(thing):
            is_class = isinstance(thing, type)
            actual = f"the class {thing.__name__}" if is_class else type(thing).__name__
            because = f"it is {actual}, not {self._expects}"
            raise BrokenPluginError(self._broken(entry, because, "could not be loaded"))
        return cast(T, on_disk(thing) if isinstance(thing, Path) else thing)

    def make(self, name: str | Entry, *context: Any, **arguments: Any) -> Any:
        """Call the registered function with a name, and return its result.

        Raises:
            GanzooError: the function raises it, or raises a ValueError or RuntimeError, which
                becomes the error of this registry: ArchitectureError, RecipeError, DataError,
                ExtractorError or DeploymentError.
            BrokenPluginError: the function raises any other error.
            UnknownNameError, ...: as `get`.
        """
        entry = name if isinstance(name, Entry) else self.entry(name)
        factory: Any = self.load(entry)
        try:
            with _quiet_import():  # of what the function imports
                return factory(*context, **arguments)
        except GanzooError:
            raise
        except (ValueError, RuntimeError) as error:
            data = next((value for value in context if isinstance(value, DataSpec)), None)
            images = f" for images of {data.image}" if data else ""
            text = f"{self.kind} {entry.name!r} cannot be built{images}: {error}."
            raise self._refusal(text) from error
        except (Exception, SystemExit) as error:
            raise self._failed(entry, error, "could not be built") from error

    def cite(self, name: str) -> str:
        """Return kind, name and provider of a registration, for error messages."""
        entry = self.entry(name)
        return f"{self.kind} {entry.name!r} of {entry.provider}"

    def _failed(self, entry: Entry, error: BaseException, what: str) -> GanzooError:
        if entry.distribution == DISTRIBUTION and isinstance(error, ModuleNotFoundError):
            return missing_extra(f"{self.kind} {entry.name!r}", error)
        return BrokenPluginError(self._broken(entry, describe(error), what))

    def _broken(self, entry: Entry, because: str, what: str) -> str:
        remedy = "Reinstall or uninstall it"
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


def _quiet_import(module: str = "") -> contextlib.AbstractContextManager[None]:
    """Undo what the import of a module, or of any modules, does to the process."""
    from ganzoo.system.dependencies import quiet_imports

    return contextlib.nullcontext() if module in sys.modules else quiet_imports()


def _subclass_of(module: str, name: str) -> Callable[[object], bool]:
    """Return a test for subclasses of a class, which is not imported: that may import torch."""

    def accepts(thing: object) -> bool:
        ancestors = thing.__mro__ if isinstance(thing, type) else ()
        return any((base.__module__, base.__name__) == (module, name) for base in ancestors)

    return accepts


architectures: Registry[Callable[..., Any]] = Registry(
    "architecture", callable, "a function", ArchitectureError
)
"""Functions ``(data: DataSpec, *, ...) -> dict[role, nn.Module]``."""

losses: Registry[Callable[..., Any]] = Registry("loss", callable, "a function", RecipeError)
"""Functions ``(*, ...) -> ganzoo.Loss``."""


penalties: Registry[type[Any]] = Registry(
    "penalty",
    _subclass_of("ganzoo.games.penalties", "Penalty"),
    "a subclass of ganzoo.games.Penalty",
    RecipeError,
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

importers: Registry[type[Any]] = Registry(
    "importer",
    _subclass_of("ganzoo.importers.importer", "Importer"),
    "a subclass of ganzoo.importers.Importer",
)
"""Subclasses of `ganzoo.importers.Importer`: they convert checkpoints of another project."""

samplers: Registry[Callable[..., Any]] = Registry("sampler", callable, "a function", SampleError)
"""Functions ``(model: ganzoo.Generator, draw: ganzoo.Draw, *, ...) -> ganzoo.Codes``."""

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
"""`Recipe` objects, or paths of their TOML files."""

models: Registry[Path | HubModel] = Registry(
    "model",
    lambda thing: isinstance(thing, Path | HubModel),
    "the Path of a bundle or a HubModel",
)
"""Paths of bundles inside a distribution, or `HubModel` objects."""

REGISTRIES: tuple[Registry[Any], ...] = (
    models,
    recipes,
    architectures,
    losses,
    penalties,
    datasets,
    extractors,
    export_targets,
    importers,
    metrics,
    monitors,
    samplers,
    trackers,
)

COMPONENTS: tuple[Registry[Any], ...] = (architectures, losses, datasets)


def needs_data(dataset: str) -> bool:
    """Return whether a registered dataset reads a data folder."""
    return bool(getattr(datasets.get(dataset), "needs_data", True))


def find_recipe(name: str | Path) -> Recipe:
    """Return a registered recipe, or read a TOML file (a `Path`, or a name ending in ``.toml``).

    Raises:
        RecipeError: the file is not a valid recipe.
        UnknownNameError, BrokenPluginError, ...: as `Registry.get`.
    """
    if isinstance(name, Path) or (isinstance(name, str) and name.endswith(".toml")):
        return Recipe.from_toml(Path(name))
    entry = recipes.entry(name)
    registered = recipes.load(entry)
    recipe = registered if isinstance(registered, Recipe) else Recipe.from_toml(registered)
    # If other plugins register the same names, prefer those of the recipe's own distribution.
    own = {}
    for registry in COMPONENTS:
        component = getattr(recipe, registry.kind)
        name = registry.prefer(component.name, entry.distribution)
        own[registry.kind] = replace(component, name=name)
    return replace(recipe, **own)
