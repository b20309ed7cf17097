"""The plan of a benchmark: its runs, checked before any of them trains."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ganzoo.bundle.files import write_file
from ganzoo.comparison.spec import BenchmarkSpec, Combination, PlannedRun, expand
from ganzoo.data import find_dataset, find_root
from ganzoo.errors import (
    ArchitectureError,
    IncompatibleCombinationError,
    MetricError,
    RecipeError,
)
from ganzoo.nn import torch_defaults
from ganzoo.nn.random_numbers import own_random_numbers
from ganzoo.spec import DataSpec, Recipe
from ganzoo.spec.json_text import read_json
from ganzoo.spec.parsing import shorten
from ganzoo.training import build, prepare

FILE = "plan.json"


@dataclass(frozen=True)
class Plan:
    """The runs of a benchmark.

    Attributes:
        spec: the spec.
        combinations: the rows of its table.
        parameters: number of parameters of the generator, by the slug of a combination that fits.
        incompatible: why an architecture and a loss do not fit, by the slug of the combination.
    """

    spec: BenchmarkSpec
    combinations: list[Combination]
    parameters: dict[str, int] = field(default_factory=dict)
    incompatible: dict[str, str] = field(default_factory=dict)

    @property
    def runs(self) -> list[PlannedRun]:
        """The runs of the combinations that fit, all combinations of a seed before the next."""
        return [
            PlannedRun(combination, seed)
            for seed in self.spec.seeds
            for combination in self.combinations
            if combination.slug in self.parameters
        ]


@torch_defaults()
@own_random_numbers()
def make_plan(spec: BenchmarkSpec, data: Path | None, device: str | None) -> Plan:
    """Expand a spec, and check its combinations, its data and its protocol.

    Raises:
        RecipeError: an option does not exist, or fits none of its combinations.
        IncompatibleCombinationError, ArchitectureError: no combination fits.
        MetricError: a metric cannot be computed under the protocol.
        DataNotFoundError, DataError: the data is missing or cannot be used.
    """
    plan = Plan(spec, expand(spec))
    dataset = plan.combinations[0].recipe.dataset
    _, images = find_dataset(dataset.name, dataset.arguments, find_root(dataset.name, data))
    for combination in plan.combinations:
        try:
            plan.parameters[combination.slug] = _count_parameters(combination.recipe, images)
        except (ArchitectureError, IncompatibleCombinationError, RecipeError) as error:
            plan.incompatible[combination.slug] = str(error)
    for name in spec.options:
        slugs = [each.slug for each in plan.combinations if each.options == name]
        if not plan.parameters.keys() & set(slugs):
            where = f"options {name!r} fit no combination: " if name else ""
            raise RecipeError(f"{where}{plan.incompatible[slugs[0]]}")
    try:
        prepare(plan.runs[0].recipe, data=data, device=device)
    except MetricError as error:
        text = str(error).replace("--metrics", "protocol.metrics")
        raise MetricError(f"the spec's protocol: {text}") from error
    return plan


def _count_parameters(recipe: Recipe, images: DataSpec) -> int:
    """Build the networks and the loss of a recipe, and return the size of its generator."""
    recipe = build.complete(recipe)
    loss = build.build_loss(recipe)
    nets = build.build_networks(recipe, images)
    build.check_combination(recipe, nets, loss, images)
    return sum(parameter.numel() for parameter in nets["generator"].parameters())


def check_changes(plan: Plan, folder: Path) -> None:
    """Check that a plan changes no run of the folder's plan.

    Raises:
        RecipeError: it does; the message names the fields.
    """
    old, new = _read(folder), _describe(plan)
    if not old:
        return
    changes = {}
    if old["minutes"] != new["minutes"]:
        changes["budget.minutes"] = old["minutes"], new["minutes"]
    for name in old["runs"].keys() & new["runs"].keys():
        before, now = _flat(old["runs"][name]), _flat(new["runs"][name])
        for key in sorted(before.keys() | now.keys()):
            if before.get(key) != now.get(key):
                changes.setdefault(key, (before.get(key), now.get(key)))
    if changes:
        texts = [f"{key} from {before} to {now}" for key, (before, now) in changes.items()]
        raise RecipeError(
            f"the spec changes runs of {folder}: {shorten(', '.join(texts))}. Choose another "
            "folder with --out DIR. New architectures, losses, options and seeds can be added."
        )


def write_plan(plan: Plan, folder: Path) -> None:
    """Add the runs of a plan to the folder's plan.

    Raises:
        OutputError: the file cannot be written.
    """
    old, new = _read(folder), _describe(plan)
    new["runs"] = (old["runs"] if old else {}) | new["runs"]
    write_file(folder / FILE, json.dumps(new, indent=1))


def _read(folder: Path) -> dict[str, Any] | None:
    file = folder / FILE
    if not file.is_file():
        return None
    try:
        table = read_json(file.read_bytes())
        if isinstance(table["runs"], dict) and all(map(Recipe.from_dict, table["runs"].values())):
            return {"minutes": table["minutes"], "runs": table["runs"]}
    except (KeyError, TypeError, ValueError):
        pass
    raise RecipeError(
        f"{file} is damaged, so its runs cannot be continued. Choose another folder with --out DIR."
    )


def _describe(plan: Plan) -> dict[str, Any]:
    runs = {run.name: build.complete(run.recipe).to_dict() for run in plan.runs}
    # As JSON, which has no tuples.
    return json.loads(json.dumps({"minutes": plan.spec.budget.minutes, "runs": runs}))  # type: ignore[no-any-return]


def _flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return the fields of nested tables by their names with dots."""
    flat: dict[str, Any] = {}
    for key, value in table.items():
        inner = _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else None
        flat |= inner if inner is not None else {f"{prefix}{key}": value}
    return flat
