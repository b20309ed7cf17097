"""Build the shipped models: recipe -> train -> evaluate -> export -> card.

python tools/build_zoo.py [NAME ...] [--runs runs/zoo] [--dry-run]

tools/zoo.toml lists the models. GANZOO_DATA is the folder of the datasets. Stopped trainings
resume. A model is up to date, and skipped, if its config has the same recipe and data and the
results of every seed. The folder of a run is named after the model, the seed and a digest of recipe
and data.
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
EVALUATIONS = 10  # during a training
SAMPLES = 10_000  # per evaluation
METRIC = "frechet_distance"

# Fields of a recipe that do not define the model: logging, checkpoints, evaluation, computation.
_IRRELEVANT = {
    f.name: f.default
    for f in Recipe.__dataclass_fields__.values()
    if f.name.startswith(("log_", "sample_", "checkpoint_", "evaluate_", "keep_", "precision"))
    or f.name in ("description", "streaming", "compile", "channels_last")
}


@dataclass
class Model:
    """One line of zoo.toml.

    Attributes:
        name: name of the model.
        folder: parent folder of the bundle, from the root of the project.
        recipe: registered name of the recipe; by default the name of the model.
        seeds: seeds to train with; the model of the first seed ships.
        settings: fields of the recipe to replace.
        start: registered name of the recipe whose run the training starts from, with the same seed
            and settings; by default random weights.
        measured_on: arguments of the dataset to replace for the evaluation.
    """

    name: str
    folder: str = "ganzoo/builtin/pretrained"
    recipe: str = ""
    seeds: list[int] = field(default_factory=lambda: [0])
    settings: dict[str, Any] = field(default_factory=dict)
    start: str = ""
    measured_on: dict[str, Any] = field(default_factory=dict)

    @property
    def dataset(self) -> Component:
        """The dataset of the evaluation."""
        trained_on = self.recipe_of(self.seeds[0]).dataset
        return replace(trained_on, arguments=trained_on.arguments | self.measured_on)

    @property
    def path(self) -> Path:
        """The folder of the shipped bundle."""
        return ROOT / self.folder / self.name

    def recipe_of(self, seed: int) -> Recipe:
        """Return the recipe with a seed and with evaluations that select the best model."""
        recipe = find_recipe(self.recipe or self.name)
        evaluation = {"evaluate_every": recipe.images // EVALUATIONS, "keep_best": METRIC}
        return complete(replace(recipe, name=self.name, seed=seed, **evaluation | self.settings))


def digest(recipe: Recipe, data: str) -> str:
    """Return a digest of the recipe's relevant fields and the data."""
    relevant = replace(recipe, seed=0, **_IRRELEVANT).to_dict()
    return hashlib.sha256(json.dumps([relevant, data], sort_keys=True).encode()).hexdigest()[:12]


def shipped(model: Model) -> dict[str, Any]:
    """Return the provenance of the shipped model; empty if there is none."""
    try:
        return open_bundle(model.path).spec.provenance
    except GanzooError:
        return {}


def missing(model: Model, data: str) -> list[int]:
    """Return the seeds without results in the shipped model."""
    provenance = shipped(model)
    if not provenance:
        return model.seeds
    recipe = complete(Recipe.from_dict(provenance["recipe"], where=model.name))
    if digest(recipe, provenance["data"]["sha256"]) != digest(model.recipe_of(0), data):
        return model.seeds
    results = provenance[SEEDS]["figures"] if SEEDS in provenance else {str(provenance["seed"]): {}}
    return [seed for seed in model.seeds if str(seed) not in results]


def train(model: Model, seed: int, runs: Path, data: str) -> tuple[Path, dict[str, Any]]:
    """Train one seed, or resume it; return the run, and the results of its final and best model.

    The results are empty if the recipe keeps no best model, as for models that translate images.
    """
    recipe = model.recipe_of(seed)
    out = runs / f"{model.name}-{seed}-{digest(recipe, data)}"
    if (out / "recipe.toml").is_file():
        run = ganzoo.resume(out)
    else:
        start = None
        if model.start:
            first = replace(model, name=model.start, recipe="", start="")
            start, _ = train(first, seed, runs, data)
        run = ganzoo.train(recipe, out=out, init_from=start)
    if not run.finished:
        raise KeyboardInterrupt
    if not recipe.keep_best:
        return out, {}
    final, best = (ganzoo.evaluate(bundle, samples=SAMPLES) for bundle in (run.bundle, run.best))
    provenance = open_bundle(run.best).spec.provenance
    return out, {
        "images": run.images_seen,
        "final": final.metrics[METRIC],
        "best": best.metrics[METRIC],
        "best_images": provenance["images_seen"],
    }


def ship(model: Model, run: Path, results: dict[str, dict[str, Any]]) -> None:
    """Export the final model of a run into the package, and write its card."""
    path = ganzoo.export(run, model.path, precision="fp16")
    ganzoo.evaluate(path, dataset=model.dataset, samples=SAMPLES)
    if all(results.values()):
        record_seeds(open_bundle(path), METRIC, results)
    cards.write(path)
    publish(path)


def build(model: Model, data: str, runs: Path) -> Iterator[str]:
    """Train all seeds of a model and ship it; yield a line per step."""
    folders, results = {}, {}
    for seed in model.seeds:
        folders[seed], results[str(seed)] = train(model, seed, runs, data)
        final = results[str(seed)].get("final")
        yield f"seed {seed}: " + ("trained" if final is None else f"{METRIC} {final:.4g}")
    ship(model, folders[model.seeds[0]], results)
    yield "shipped"


def main(
    names: tyro.conf.Positional[tuple[str, ...]] = (),
    runs: Path = Path("runs/zoo"),
    dry_run: bool = False,
) -> None:
    models = [Model(name, **line) for name, line in tomllib.loads(ZOO.read_text()).items()]
    if unknown := set(names) - {model.name for model in models}:
        raise SystemExit(
            f"error: {ZOO} has no {', '.join(sorted(unknown))}. "
            f"Choose from {', '.join(model.name for model in models)}."
        )
    selected = [model for model in models if model.name in names or not names]
    for number, model in enumerate(selected, start=1):
        data = prepare(model.recipe_of(model.seeds[0])).batches.fingerprint
        seeds = missing(model, data)
        state = f"to train: seeds {seeds}" if seeds else "up to date"
        print(f"[{number}/{len(selected)}] {model.name:<24} {state}", flush=True)
        if seeds and not dry_run:
            for line in build(model, data, runs):
                print(f"{'':8}{model.name:<24} {line}", flush=True)


if __name__ == "__main__":
    try:
        tyro.cli(main, config=(tyro.conf.FlagCreatePairsOff,))
    except GanzooError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("stopped. Repeat the command to resume.")
