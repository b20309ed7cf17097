"""The evaluation of a running training on real images, which writes metrics.jsonl."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from ganzoo.data import Items
from ganzoo.data.batches import Batches
from ganzoo.data.fingerprints import fingerprint_items
from ganzoo.data.memory_batches import MemoryBatches
from ganzoo.data.reading import read_items
from ganzoo.data.streamed_batches import StreamedBatches
from ganzoo.errors import MetricError, RecipeError
from ganzoo.nn import inputs_of
from ganzoo.spec import Recipe
from ganzoo.training.log import add_line
from ganzoo.training.snapshot import InTraining
from ganzoo.training.state import State

if TYPE_CHECKING:
    from ganzoo.evaluation import Evaluator
    from ganzoo.training.preparation import Prepared

METRICS = "metrics.jsonl"
STREAMED = 10_000  # the most real images if memory does not hold the data
SEED = 0  # of the choice of real images, which is the same in every run on this data


def evaluator_of(recipe: Recipe, batches: Batches, state: State) -> Evaluator | None:
    """Return the evaluator of a training.

    Returns None if the recipe has no evaluation, or if another process does it.

    Raises:
        RecipeError: the generator translates images, there are too few images for the features, or
            `keep_best` names a metric that has no better direction.
        UnknownNameError, BrokenPluginError, ExtractorError: the extractor is not available.
    """
    if not recipe.evaluate_every or not state.group.first:
        return None
    if "condition" in inputs_of(state.nets["generator"]):
        raise RecipeError(
            f"--evaluate-every {recipe.evaluate_every} measures images generated from latents, but "
            f"{recipe.architecture.name!r} generates them from images. Remove --evaluate-every."
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
        resize=True,  # part of the protocol
    )
    _check_counts(recipe, evaluator)
    if evaluator.direction(recipe.keep_best) == "neither":
        raise RecipeError(
            f"keep_best is {recipe.keep_best!r}, a metric where neither low nor high values are "
            "better. Choose one that has a direction, such as --keep-best frechet_distance."
        )
    return evaluator


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


def _check_counts(recipe: Recipe, evaluator: Evaluator) -> None:
    """Raise before the training if there are too few images for a metric."""
    real, dimensions = evaluator.real.features.shape
    shortage, remedy = "", ""
    if "frechet" in evaluator.metrics and real <= dimensions:
        shortage = f"the data has {real:,} images"
    elif "frechet" in evaluator.metrics and recipe.evaluate_samples <= dimensions:
        shortage = f"evaluate_samples is {recipe.evaluate_samples:,}"
        remedy = f"--evaluate-samples {dimensions + 1}, or "
    if shortage:
        raise RecipeError(
            f"{shortage}, but the Fréchet distance needs more than the {dimensions:,} features of "
            f"an image. Use {remedy}--evaluate-with NAME for an extractor of fewer features."
        )


def some_items(batches: Batches, n: int) -> Items:
    """Return `n` random items on the CPU, or all if there are fewer.

    Every run on a dataset gets the same items. They come from the whole dataset, which may be
    sorted.

    Raises:
        DataError: an image is corrupt.
    """
    choice = np.random.default_rng(SEED).permutation(len(batches))[:n]
    indices = sorted(choice.tolist())  # the order of the files on the disk
    if isinstance(batches, StreamedBatches):
        return read_items(batches.dataset, batches.spec, indices, indices)
    index = torch.tensor(indices)
    return Items(*(None if x is None else _rows(x, index) for x in _in_memory(batches)))  # type: ignore[arg-type]


def all_items(batches: Batches, limit: int) -> Items:
    """Return all items on the CPU, or `limit` of them if memory does not hold the data.

    Raises:
        DataError: an image is corrupt.
    """
    if isinstance(batches, StreamedBatches):
        return some_items(batches, limit)
    return Items(*(None if x is None else x.cpu() for x in _in_memory(batches)))  # type: ignore[arg-type]


def _in_memory(batches: Batches) -> Items:
    assert isinstance(batches, MemoryBatches)  # there are only two kinds
    return Items(batches.images, batches.labels, batches.conditions)


def _rows(tensor: Tensor, index: Tensor) -> Tensor:
    return tensor.index_select(0, index.to(tensor.device)).cpu()
