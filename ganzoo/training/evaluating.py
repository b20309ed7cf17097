"""Evaluation while a training runs: metrics.jsonl, and the best bundle by a metric."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ganzoo.data.batches import Batches
from ganzoo.errors import RecipeError
from ganzoo.generator import Generator
from ganzoo.nn import inputs_of
from ganzoo.spec import Recipe
from ganzoo.training.lines import add_line
from ganzoo.training.reference import some_items
from ganzoo.training.snapshot import InTraining
from ganzoo.training.state import State

if TYPE_CHECKING:
    from ganzoo.training.preparation import Prepared

METRICS = "metrics.jsonl"


class Evaluation(Protocol):
    """What an evaluation came to.

    Attributes:
        metrics: by name.
        protocol: how they were computed: what it takes to compare them with others.
    """

    @property
    def metrics(self) -> Mapping[str, float]: ...  # noqa: D102

    @property
    def protocol(self) -> Mapping[str, Any]: ...  # noqa: D102


class Evaluator(Protocol):
    """Compares a generator with the data of a training."""

    def __call__(self, generator: Generator, /) -> Evaluation:
        """Evaluate it as it is now."""


def evaluator_of(recipe: Recipe, batches: Batches, state: State) -> Evaluator | None:
    """Return what evaluates a training; None where it is not to be, or another process does it.

    It sees as many real images as it will see generated ones.

    Raises:
        RecipeError: a generator that makes images out of images.
        UnknownNameError, BrokenPluginError, DataNotFoundError, ...: no such extractor.
    """
    if not recipe.evaluate_every or not state.group.first:
        return None
    if "source" in inputs_of(state.nets["generator"]):
        raise RecipeError(
            f"--evaluate-every {recipe.evaluate_every} compares images drawn from latents with the "
            f"data, and {recipe.architecture.name!r} makes images out of images: leave it out."
        )
    from ganzoo.evaluation import Evaluator  # type: ignore[import-not-found,unused-ignore]

    images = some_items(batches, recipe.evaluate_samples).images
    evaluator: Evaluator = Evaluator.for_training(
        images,
        batches.spec,
        batches.fingerprint,
        recipe.evaluate_with,
        recipe.evaluate_samples,
        recipe.seed,
    )
    return evaluator


def evaluate(run: Path, prepared: Prepared) -> dict[str, Any]:
    """Evaluate the averaged generator, and return the line that it adds to metrics.jsonl.

    Raises:
        NonFiniteLossError: weights are no numbers.
        OutputError: it cannot be written.
    """
    state = prepared.state
    assert prepared.evaluator is not None  # else evaluation is never due
    state.check_finite()
    network = state.ema.networks["generator"]
    done = prepared.evaluator(InTraining(prepared.spec(), network, state.device))
    line = {
        "images": state.images_seen,
        "seconds": round(state.seconds, 3),
        "metrics": dict(done.metrics),
        "protocol": dict(done.protocol),
    }
    add_line(run / METRICS, line)
    return line
