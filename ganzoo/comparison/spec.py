"""Specs of benchmarks, and the runs that they stand for."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from ganzoo.errors import RecipeError, did_you_mean, enumerate_names
from ganzoo.registry import COMPONENTS, architectures, find_recipe, losses
from ganzoo.registry.names import parse_registered
from ganzoo.spec import Component, Recipe
from ganzoo.spec.parsing import (
    STRICT,
    UNBOUNDED,
    check_integer,
    check_name,
    check_range,
)
from ganzoo.spec.toml_files import check_fields, read_file, write_table
from ganzoo.training.overrides import override

SPECS = Path(__file__).parent / "specs"  # those that ship with ganzoo
ENDLESS = 10**12  # images of a run that only its time ends


@dataclass(frozen=True)
class Budget:
    """The length of every run: a number of images, or minutes with the evaluations."""

    __pydantic_config__ = STRICT

    images: int = 0
    minutes: float = 0.0

    def __post_init__(self) -> None:
        check_integer("budget.images", self.images, 0, UNBOUNDED)
        check_range("budget.minutes", self.minutes, 0.0, UNBOUNDED)
        if bool(self.images) == bool(self.minutes):
            raise ValueError("budget has both or neither of images and minutes. State one of them")


@dataclass(frozen=True)
class Protocol:
    """How every run is evaluated.

    Attributes:
        every: images between two evaluations.
        metrics: registered names of metrics; the first one sorts the table.
        extractor: registered name of the extractor; by default the dataset's own.
        samples: images to generate for an evaluation.
    """

    __pydantic_config__ = STRICT

    every: int
    metrics: tuple[str, ...]
    extractor: str = ""
    samples: int = 2_000

    def __post_init__(self) -> None:
        check_integer("protocol.every", self.every, 1, UNBOUNDED)
        check_integer("protocol.samples", self.samples, 2, UNBOUNDED)
        if not self.metrics:
            raise ValueError("protocol.metrics is empty. Name a metric, such as frechet")


@dataclass(frozen=True)
class BenchmarkSpec:
    """A benchmark: architectures x losses x options x seeds on one dataset.

    Attributes:
        architectures: names, or tables of a name and arguments, as in recipes.
        losses: names, or tables of a name and arguments.
        dataset: a name, or a table of a name and arguments.
        budget: the length of every run.
        protocol: how every run is evaluated.
        seeds: seeds of the recipes.
        options: other values of the recipe's fields, by the name of the variation.
        recipe: name or file of the recipe that states all other fields; by default the defaults
            of recipes.
        name: name of the benchmark; by default that of its file.
        description: one line for the report.

    Raises:
        ValueError: a number is out of its range, or a list is empty or holds an entry twice.
    """

    __pydantic_config__ = STRICT

    architectures: tuple[Component, ...]
    losses: tuple[Component, ...]
    dataset: Component
    budget: Budget
    protocol: Protocol
    seeds: tuple[int, ...] = (0,)
    options: dict[str, dict[str, Any]] = field(default_factory=lambda: {"": {}})
    recipe: str = ""
    name: str = "benchmark"
    description: str = ""

    def __post_init__(self) -> None:
        check_name(self.name)
        for seed in self.seeds:
            check_integer("seeds", seed, 0, UNBOUNDED)
        for name in ("architectures", "losses", "seeds", "options"):
            entries = list(getattr(self, name))
            if not entries:
                raise ValueError(f"{name} is empty. State at least one entry")
            if len({repr(entry) for entry in entries}) < len(entries):
                raise ValueError(f"{name} has an entry twice. State each one once")

    @classmethod
    def from_dict(
        cls, table: Mapping[str, Any], *, where: str = "the spec", folder: Path | None = None
    ) -> BenchmarkSpec:
        """Return the spec of a parsed TOML table.

        Args:
            table: the table.
            where: name of the table in error messages.
            folder: folder of the spec's file, where a relative file of a recipe is.

        Raises:
            RecipeError: a field is unknown, missing, of the wrong type or out of range.
        """
        fields = dict(table)
        for kind in ("architectures", "losses"):
            if isinstance(fields.get(kind), list):
                fields[kind] = [_component(entry) for entry in fields[kind]]
        if "dataset" in fields:
            fields["dataset"] = _component(fields["dataset"])
        recipe = fields.get("recipe")
        if folder and isinstance(recipe, str) and recipe.endswith(".toml"):
            fields["recipe"] = str(folder / recipe)
        return check_fields(cls, fields, where=where)

    @classmethod
    def find(cls, name: str | Path) -> BenchmarkSpec:
        """Return the spec of a TOML file, or one that ships with ganzoo, by its name.

        Raises:
            RecipeError: there is no such spec, or it is not valid.
        """
        path = Path(name)
        if path.suffix != ".toml":
            shipped = [file.stem for file in SPECS.glob("*.toml")]
            if str(name) not in shipped:
                raise RecipeError(
                    f"no benchmark {str(name)!r} ships with ganzoo."
                    f"{did_you_mean(str(name), shipped)} Pass a TOML file, "
                    f"or one of {enumerate_names(shipped)}."
                )
            path = SPECS / f"{name}.toml"
        table = read_file(path, "spec")
        return cls.from_dict({"name": path.stem} | table, where=str(path), folder=path.parent)

    def to_toml(self) -> str:
        """Return the spec as TOML.

        Raises:
            MissingExtraError: tomli-w is not installed.
        """
        table: dict[str, Any] = {
            name: value
            for name in ("name", "description", "recipe")
            if (value := getattr(self, name))
        }
        table["architectures"] = [_entry(component) for component in self.architectures]
        table["losses"] = [_entry(component) for component in self.losses]
        table["seeds"] = list(self.seeds)
        table["dataset"] = {"name": self.dataset.name, **self.dataset.arguments}
        table["budget"] = {name: value for name, value in vars(self.budget).items() if value}
        table["protocol"] = asdict(self.protocol)
        if self.options != {"": {}}:
            table["options"] = self.options
        return write_table(table, "spec")


@dataclass(frozen=True)
class Combination:
    """An architecture, a loss and a variation: one row of the table.

    Attributes:
        architecture, loss: as the spec states them, with arguments.
        options: name of the variation; empty if the spec has none.
        label: what differs between the combinations of the spec.
        slug: a name for folders.
        recipe: the recipe, for any seed.
    """

    architecture: str
    loss: str
    options: str
    label: str
    slug: str
    recipe: Recipe


@dataclass(frozen=True)
class PlannedRun:
    """A run of a benchmark; its folder has its name."""

    combination: Combination
    seed: int

    @property
    def name(self) -> str:
        """Name of the run."""
        return f"{self.combination.slug}-seed-{self.seed}"

    @property
    def recipe(self) -> Recipe:
        """The recipe of the run."""
        return replace(self.combination.recipe, name=self.name, seed=self.seed)


def expand(spec: BenchmarkSpec) -> list[Combination]:
    """Return the combinations of a spec, in its order.

    Raises:
        RecipeError: an option does not exist, has a wrong value or belongs to the spec itself; or
            two combinations would have the same name.
        UnknownNameError: a component or the recipe is not registered.
    """
    for registry, components in ((architectures, spec.architectures), (losses, spec.losses)):
        for component in components:
            registry.entry(component.name)
    base = find_recipe(spec.recipe) if spec.recipe else None
    parts = spec.architectures, spec.losses, spec.options
    combinations = [
        Combination(
            *(names := (_text(architecture), _text(loss), options)),
            _join(names, parts),
            re.sub(r"[^A-Za-z0-9.]+", "-", " ".join(names)).strip("-."),
            _recipe(spec, base, architecture, loss, options),
        )
        for architecture, loss, options in itertools.product(*parts)
    ]
    slugs = [combination.slug for combination in combinations]
    for slug in slugs:
        if slugs.count(slug) > 1:
            raise RecipeError(
                f"two combinations of the spec have the name {slug!r}. Rename one of the options."
            )
    return combinations


def _recipe(
    spec: BenchmarkSpec, base: Recipe | None, architecture: Component, loss: Component, options: str
) -> Recipe:
    """Return the recipe of a combination. The spec's own fields are the same in each."""
    budget, protocol = spec.budget, spec.protocol
    images = budget.images or ENDLESS
    base = base or Recipe(architecture, loss, spec.dataset, images)
    common = {
        "dataset": {"name": spec.dataset.name, **spec.dataset.arguments},
        "images": images,
        "seed": 0,
        "evaluate_every": protocol.every,
        "evaluate_metrics": list(protocol.metrics),
        "evaluate_with": protocol.extractor,
        "evaluate_samples": protocol.samples,
        "keep_best": "",
    }
    own = _fields(spec.options[options])
    for name in (*(registry.kind for registry in COMPONENTS), "optimizer"):
        if isinstance(own.get(name), Mapping):
            own[name] = _fields(own[name])
    if fixed := own.keys() & (common.keys() | {"name", "description"}):
        raise RecipeError(
            f"options {options!r} set {enumerate_names(fixed)}, which the spec states for all runs "
            "with dataset, budget, protocol and seeds. Remove them from the options."
        )
    every = {"sample_every": protocol.every, "checkpoint_every": protocol.every}
    every |= {"keep_checkpoints": 1, "log_every": min(base.log_every, protocol.every)}
    try:
        recipe = base
        for fields in (
            {
                "architecture": {"name": architecture.name, **architecture.arguments},
                "loss": {"name": loss.name, **loss.arguments},
            },
            every,
            own,
            common,
        ):
            recipe = override(recipe, fields)
    except RecipeError as error:
        where = f"options {options!r}: " if options else ""
        raise RecipeError(f"{where}{error}") from error
    decays = recipe.optimizer.decay_start < 1 or recipe.ema_ramp == "cosine"
    if budget.minutes and decays:
        raise RecipeError(
            f"budget.minutes is {budget.minutes:g}, but optimizer.decay_start or ema_ramp follows "
            "the number of images, which a time does not determine. Set budget.images."
        )
    return recipe


def _fields(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options of the command line, whose names have hyphens, as fields."""
    return {name.replace("-", "_"): value for name, value in options.items()}


def _component(entry: Any) -> Any:
    if isinstance(entry, str):
        return {"name": entry}
    if isinstance(entry, Mapping) and "name" in entry:
        arguments = {key: value for key, value in _fields(entry).items() if key != "name"}
        return {"name": entry["name"], "arguments": arguments}
    return entry


def _entry(component: Component) -> Any:
    """Return an architecture or a loss as a spec states it."""
    arguments = component.arguments
    return {"name": component.name, **arguments} if arguments else component.name


def _text(component: Component) -> str:
    """Return the name of a component and its arguments."""
    name = parse_registered(component.name).name
    return " ".join([name, *(f"{key} {value}" for key, value in component.arguments.items())])


def _join(names: Iterable[str], parts: Iterable[Any]) -> str:
    """Join the names that differ between the combinations; if none does, the architecture and the
    loss."""
    names = list(names)
    several = [name for name, part in zip(names, parts, strict=True) if len(part) > 1]
    return " + ".join(filter(None, several or names))
