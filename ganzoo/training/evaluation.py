"""The evaluation of a running training on real images, which writes metrics.jsonl."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ganzoo.bundle.json_lines import add_line
from ganzoo.data import Items
from ganzoo.data.batches import Batches, draw_indices
from ganzoo.data.fingerprints import fingerprint_items
from ganzoo.data.memory_batches import MemoryBatches
from ganzoo.data.reading import read_items
from ganzoo.data.streamed_batches import StreamedBatches
from ganzoo.errors import MetricError, RecipeError, did_you_mean, enumerate_names
from ganzoo.nn import inputs_of
from ganzoo.registry import metrics
from ganzoo.spec import Recipe
from ganzoo.training.prepared import Prepared
from ganzoo.training.snapshot import InTraining
from ganzoo.training.state import State

if TYPE_CHECKING:
    from ganzoo.evaluation import EvaluationPlan, Evaluator

METRICS = "metrics.jsonl"
STREAMED = 10_000  # the most real images if memory does not hold the data


def evaluator_of(recipe: Recipe, batches: Batches, state: State) -> Evaluator | None:
    """Return the evaluator of a training.

    Returns None if the recipe has no evaluation, or if another process does it.

    Raises:
        RecipeError: the generator translates images, or `keep_best` names a metric that the
            evaluation does not compute or that has no best value.
        UnknownNameError, BrokenPluginError, ExtractorError: the extractor or a metric is not
            available.
        MetricError: a metric that the recipe names cannot be computed.
    """
    if not recipe.evaluate_every or not state.group.first:
        return None
    if "condition" in inputs_of(state.nets["generator"]):
        raise RecipeError(
            f"--evaluate-every {recipe.evaluate_every} measures images generated from latents, but "
            f"{recipe.architecture.name!r} generates them from images. Use --evaluate-every 0."
        )
    from ganzoo.evaluation import Evaluator, plan_evaluation

    plan = plan_evaluation(
        _extractor(recipe, batches),
        batches.spec,
        count_items(batches, STREAMED),
        samples=recipe.evaluate_samples,
        seed=recipe.seed,
        metrics=recipe.evaluate_metrics,
        resize=True,  # part of the protocol
    )
    _check_best(recipe.keep_best, plan)
    items = all_items(batches, STREAMED)
    dataset = {"name": recipe.dataset.name, **recipe.dataset.arguments}
    return Evaluator(
        items.images,
        items.labels if batches.spec.classes else None,
        plan,
        {"dataset": dataset, "sha256": fingerprint_items(items)},
    )


def evaluate(run: Path, prepared: Prepared) -> dict[str, Any]:
    """Evaluate the averaged generator, and return the line added to metrics.jsonl.

    Raises:
        NonFiniteLossError: a weight is NaN or infinite.
        OutputError: the file cannot be written.
    """
    state = prepared.state
    assert prepared.evaluator is not None  # the recipe has an evaluation
    state.check_finite()
    network = state.ema.networks["generator"]
    result = prepared.evaluator(InTraining(prepared.spec(), network, state.device))
    line = {"images": state.images_seen, "seconds": round(state.seconds, 3), **result.to_dict()}
    add_line(run / METRICS, line)
    return line


def _extractor(recipe: Recipe, batches: Batches) -> str:
    """Return the recipe's extractor, else the data's own, else one that reads all images."""
    from ganzoo.evaluation.extraction import name_extractor

    try:
        return name_extractor(recipe.evaluate_with, batches.spec)
    except MetricError:
        return "pixels"


def _check_best(name: str, plan: EvaluationPlan) -> None:
    """Check that the evaluation computes the metric that selects the best bundle.

    Raises:
        RecipeError: it does not, or neither low nor high values of the metric are better.
    """
    if not name or "/" in name:
        return
    better = plan.better_of(name)
    if better is None:
        left_out = {key: metrics.get(key) for key in plan.left_out}
        owner = next((key for key, metric in left_out.items() if metric.better_of(name)), None)
        known = [value for metric in plan.metrics.values() for value in metric.better]
        reason = (
            f"metric {owner!r} cannot be computed: {plan.left_out[owner]}. Choose another with "
            "--keep-best, use --evaluate-with NAME for an extractor of fewer features, or more "
            "--evaluate-samples."
            if owner
            else f"the evaluation has no such metric.{did_you_mean(name, known)} It has "
            f"{enumerate_names(known)}."
        )
        raise RecipeError(f"keep_best is {name!r}, but {reason}")
    if better == "neither":
        raise RecipeError(
            f"keep_best is {name!r}, a metric where neither low nor high values are better. Choose "
            "one that has a best value, such as --keep-best frechet_distance."
        )


def some_items(batches: Batches, n: int) -> Items:
    """Return `n` random items on the CPU, or all if there are fewer.

    Every run on a dataset gets the same items.

    Raises:
        DataError: an image is corrupt.
    """
    indices = draw_indices(len(batches), n)
    if isinstance(batches, StreamedBatches):
        return read_items(batches.dataset, batches.spec, indices, indices)
    index = torch.tensor(indices)
    return _in_memory(batches).items(index)


def all_items(batches: Batches, limit: int) -> Items:
    """Return all items on the CPU, or `limit` of them if memory does not hold the data.

    Raises:
        DataError: an image is corrupt.
    """
    if not batches.fits:
        return some_items(batches, limit)
    return _in_memory(batches).items()


def count_items(batches: Batches, limit: int) -> int:
    """Return how many items `all_items` returns, without reading them."""
    return len(batches) if batches.fits else min(limit, len(batches))


def _in_memory(batches: Batches) -> MemoryBatches:
    assert isinstance(batches, MemoryBatches)  # there are only two kinds
    return batches
