"""Evaluation while a training runs: metrics.jsonl."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganzoo.data.batches import Batches
from ganzoo.data.fingerprints import fingerprint_items
from ganzoo.errors import MetricError, RecipeError
from ganzoo.nn import inputs_of
from ganzoo.spec import Recipe
from ganzoo.training.jsonl import add_line
from ganzoo.training.real_images import all_items
from ganzoo.training.snapshot import InTraining
from ganzoo.training.state import State

if TYPE_CHECKING:
    from ganzoo.evaluation import Evaluator
    from ganzoo.training.preparation import Prepared

METRICS = "metrics.jsonl"
STREAMED = 10_000  # real images, at most, of data that memory does not hold


def evaluator_of(recipe: Recipe, batches: Batches, state: State) -> Evaluator | None:
    """Return what evaluates a training; None where it is not to be, or another process does it.

    Raises:
        RecipeError: a generator that makes images out of images, too few images for the features,
            or `keep_best` names a figure of which neither low nor high values are better.
        UnknownNameError, BrokenPluginError, ExtractorError: the extractor is not to be had.
    """
    if not recipe.evaluate_every or not state.group.first:
        return None
    if "condition" in inputs_of(state.nets["generator"]):
        raise RecipeError(
            f"--evaluate-every {recipe.evaluate_every} measures images that are made of latents, "
            f"and {recipe.architecture.name!r} makes them out of images: leave it out."
        )
    from ganzoo.evaluation import Evaluator

    items = all_items(batches, STREAMED)
    dataset = {"name": recipe.dataset.name, **recipe.dataset.arguments}
    evaluator = Evaluator(
        items.images,
        items.labels if batches.spec.classes else None,
        batches.spec,
        {"dataset": dataset, "sha256": fingerprint_items(items)},
        _extractor(recipe, batches),
        samples=recipe.evaluate_samples,
        seed=recipe.seed,
        resize=True,  # the protocol says so
    )
    _check_numbers(recipe, evaluator)
    if evaluator.direction(recipe.keep_best) == "neither":
        raise RecipeError(
            f"keep_best is {recipe.keep_best!r}, a figure of which neither low nor high values are "
            "better: choose one that judges, such as --keep-best frechet_distance."
        )
    return evaluator


def evaluate(run: Path, prepared: Prepared) -> dict[str, Any]:
    """Evaluate the averaged generator, and return the line that this adds to metrics.jsonl.

    Raises:
        NonFiniteLossError: weights are no numbers.
        OutputError: it cannot be written.
    """
    state = prepared.state
    assert prepared.evaluator is not None  # else evaluation is never due
    state.check_finite()
    network = state.ema.networks["generator"]
    found = prepared.evaluator(InTraining(prepared.spec(), network, state.device))
    line = {"images": state.images_seen, "seconds": round(state.seconds, 3), **found.to_dict()}
    add_line(run / METRICS, line)
    return line


def _extractor(recipe: Recipe, batches: Batches) -> str:
    """The extractor that was asked for, else the data's own, else one that reads any images."""
    from ganzoo.evaluation.extraction import name_extractor

    try:
        return name_extractor(recipe.evaluate_with, batches.spec)
    except MetricError:
        return "pixels"


def _check_numbers(recipe: Recipe, evaluator: Evaluator) -> None:
    """Refuse now what could not be measured later, when much has been trained."""
    real, dimensions = evaluator.real.features.shape
    few, remedy = "", ""
    if "frechet" in evaluator.metrics and real <= dimensions:
        few = f"the data has {real:,} images"
    elif "frechet" in evaluator.metrics and recipe.evaluate_samples <= dimensions:
        few = f"evaluate_samples is {recipe.evaluate_samples:,}"
        remedy = f"--evaluate-samples {dimensions + 1}, or "
    if few:
        raise RecipeError(
            f"{few}, and the Fréchet distance needs more than the {dimensions:,} features of an "
            f"image: {remedy}--evaluate-with NAME for an extractor of fewer features."
        )
