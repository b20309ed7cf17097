"""Build what ships: recipe -> train -> evaluate -> export -> card.

python tools/build_zoo.py [NAME ...] [--runs runs/zoo] [--dry-run]

tools/zoo.toml says what ships. GANZOO_DATA says where the data lies. A training that was stopped
goes on where it was, and what is up to date is skipped: a model whose config names the same recipe
and the same data, and the figures of every seed. Runs lie in folders by name, seed and a digest
of recipe and data.
"""

import hashlib
import json
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import tyro
from ship_model import ROOT, publish

import ganzoo
from ganzoo import cards
from ganzoo.bundle import open_bundle
from ganzoo.errors import GanzooError
from ganzoo.exporters import record_seeds
from ganzoo.registry import find_recipe
from ganzoo.spec import SEEDS, Component, Recipe
from ganzoo.training import prepare
from ganzoo.training.build import complete

ZOO = Path(__file__).with_name("zoo.toml")
EVALUATIONS = 10  # while a model trains
SAMPLES = 10_000  # that a model is measured by
FIGURE = "frechet_distance"

# What a recipe shows and keeps on the way, and where it computes, changes no model's meaning.
_ASIDE = {
    f.name: f.default
    for f in Recipe.__dataclass_fields__.values()
    if f.name.startswith(("log_", "sample_", "checkpoint_", "evaluate_", "keep_", "precision"))
    or f.name in ("description", "streaming", "compile", "channels_last")
}


@dataclass
class Model:
    """One line of zoo.toml.

    Attributes:
        name: of the model.
        folder: that it ships in, from the root of the project.
        recipe: registered name of what makes it; by default its own.
        seeds: it is trained with; the first one's ships.
        settings: fields of the recipe that are set otherwise here.
        measured_on: arguments of the dataset that are others where the model is measured.
    """

    name: str
    folder: str = "ganzoo/builtin/pretrained"
    recipe: str = ""
    seeds: list[int] = field(default_factory=lambda: [0])
    settings: dict[str, Any] = field(default_factory=dict)
    measured_on: dict[str, Any] = field(default_factory=dict)

    @property
    def dataset(self) -> Component:
        """The dataset that it is measured on."""
        trained_on = self.recipe_of(self.seeds[0]).dataset
        return replace(trained_on, arguments=trained_on.arguments | self.measured_on)

    @property
    def place(self) -> Path:
        """Where it ships."""
        return ROOT / self.folder / self.name

    def recipe_of(self, seed: int) -> Recipe:
        """The recipe with a seed, evaluated on the way; its best is kept beside its last."""
        recipe = find_recipe(self.recipe or self.name)
        watched = {"evaluate_every": recipe.images // EVALUATIONS, "keep_best": FIGURE}
        return complete(replace(recipe, name=self.name, seed=seed, **watched | self.settings))


def meaning(recipe: Recipe, data: str) -> str:
    """A digest of what decides a model."""
    plain = replace(recipe, seed=0, **_ASIDE).to_dict()
    return hashlib.sha256(json.dumps([plain, data], sort_keys=True).encode()).hexdigest()[:12]


def shipped(model: Model) -> dict[str, Any]:
    """The provenance of the model that ships; empty where none does."""
    try:
        return open_bundle(model.place).spec.provenance
    except GanzooError:
        return {}


def missing(model: Model, data: str) -> list[int]:
    """The seeds that what ships does not speak for."""
    made = shipped(model)
    if not made:
        return model.seeds
    recipe = complete(Recipe.from_dict(made["recipe"], where=model.name))
    if meaning(recipe, made["data"]["sha256"]) != meaning(model.recipe_of(0), data):
        return model.seeds
    known = made[SEEDS]["figures"] if SEEDS in made else {str(made["seed"]): {}}
    return [seed for seed in model.seeds if str(seed) not in known]


def train(model: Model, seed: int, out: Path) -> dict[str, Any]:
    """Train one seed, or go on with it, and measure its last and its best model.

    Nothing is measured where no best one is kept, as of models that make images out of others.
    """
    if (out / "recipe.toml").is_file():
        run = ganzoo.resume(out)
    else:
        run = ganzoo.train(model.recipe_of(seed), out=out)
    if not run.finished:
        raise KeyboardInterrupt
    if not model.recipe_of(seed).keep_best:
        return {}
    final, best = (ganzoo.evaluate(each, samples=SAMPLES) for each in (run.bundle, run.best))
    made = open_bundle(run.best).spec.provenance
    return {
        "images": run.images_seen,
        "final": final.metrics[FIGURE],
        "best": best.metrics[FIGURE],
        "best_images": made["images_seen"],
    }


def ship(model: Model, run: Path, figures: dict[str, dict[str, Any]]) -> None:
    """Export the first seed's last model into the package, and write its card."""
    path = ganzoo.export(run, model.place, precision="fp16")
    ganzoo.evaluate(path, dataset=model.dataset, samples=SAMPLES)
    if all(figures.values()):
        record_seeds(open_bundle(path), FIGURE, figures)
    cards.write(path)
    publish(path)


def build(model: Model, data: str, runs: Path) -> Iterator[str]:
    """Build what is missing of a model, and say what was done."""
    folders = {
        seed: runs / f"{model.name}-{seed}-{meaning(model.recipe_of(seed), data)}"
        for seed in model.seeds
    }
    figures = {}
    for seed, folder in folders.items():
        figures[str(seed)] = train(model, seed, folder)
        figure = figures[str(seed)].get("final")
        yield f"seed {seed}: " + ("trained" if figure is None else f"{FIGURE} {figure:.4g}")
    ship(model, folders[model.seeds[0]], figures)
    yield "shipped"


def main(
    names: tyro.conf.Positional[tuple[str, ...]] = (),
    runs: Path = Path("runs/zoo"),
    dry_run: bool = False,
) -> None:
    models = [Model(name, **line) for name, line in tomllib.loads(ZOO.read_text()).items()]
    if unknown := set(names) - {model.name for model in models}:
        raise SystemExit(f"{ZOO} has no {', '.join(sorted(unknown))}.")
    wanted = [model for model in models if model.name in names or not names]
    for number, model in enumerate(wanted, start=1):
        data = prepare(model.recipe_of(model.seeds[0])).batches.fingerprint
        lacking = missing(model, data)
        state = f"to train: seeds {lacking}" if lacking else "up to date"
        print(f"[{number}/{len(wanted)}] {model.name:<24} {state}", flush=True)
        if lacking and not dry_run:
            for done in build(model, data, runs):
                print(f"{'':8}{model.name:<24} {done}", flush=True)


if __name__ == "__main__":
    try:
        tyro.cli(main, config=(tyro.conf.FlagCreatePairsOff,))
    except GanzooError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("stopped; the same command goes on")
