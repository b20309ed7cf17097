"""The time that a training takes, measured over its first steps."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch

from ganzoo.errors import quantity
from ganzoo.games import Batch
from ganzoo.nn import torch_defaults
from ganzoo.nn.random_numbers import own_random_numbers
from ganzoo.sampling.progress import format_rate
from ganzoo.spec import DataSpec, Recipe
from ganzoo.training import build
from ganzoo.training.loop import run_ticks
from ganzoo.training.prepared import Prepared
from ganzoo.training.seeding import seed_networks
from ganzoo.training.state import State

STEPS = 16  # many penalties are due every 16 steps
SECONDS = 5.0  # after which no further step begins
PATIENCE = 20.0  # the same after the first step
FEW = 16  # images in a step on the CPU, without a plan


@dataclass(frozen=True)
class Duration:
    """The expected duration of a training.

    Attributes:
        seconds: duration, without evaluations, samples and checkpoints.
        images_per_second: rate.
        steps: number of steps that were measured.
        batch_size: images in a step.
    """

    seconds: float
    images_per_second: float
    steps: int
    batch_size: int

    def __str__(self) -> str:
        return (
            f"about {format_seconds(self.seconds)} at {format_rate(self.images_per_second)}, "
            f"measured over {quantity(self.steps, 'step')} of {self.batch_size}"
        )


def format_seconds(seconds: float) -> str:
    """Return a duration as text with two units at most.

    >>> format_seconds(12_000)
    '3 h 20 min'
    """
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    if seconds >= 10 * 86_400:
        return quantity(round(seconds / 86_400), "day")
    if seconds >= 86_400:
        days, hours = divmod(round(seconds / 3600), 24)
        return quantity(days, "day") + f" {hours} h" * bool(hours)
    hours, minutes = divmod(round(seconds / 60), 60)
    return " ".join([f"{hours} h"] * bool(hours) + [f"{minutes} min"] * bool(minutes))


def measure_steps(state: State, batches: Iterator[Batch]) -> Duration:
    """Train a few steps, and return how long the rest of the recipe takes.

    The networks change. Every process of a group must call this. The first step, which allocates
    memory, counts only if it takes too long for a second one.

    Args:
        state: a training that nothing else uses.
        batches: its data.
    """
    times = [time.perf_counter()]
    left = state.recipe.images - state.images_seen

    def report() -> bool:
        if state.device.type == "cuda":
            torch.cuda.synchronize(state.device)
        times.append(time.perf_counter())
        limit = PATIENCE if len(times) == 2 else SECONDS
        ends = len(times) > STEPS + 1 or times[-1] - times[0] > limit
        return not state.group.most(ends)

    run_ticks(state, batches, log_term=_ignore, log_metric=_ignore, report=report)
    times = times[1:] if len(times) > 2 else times
    steps = len(times) - 1
    rate = steps * state.recipe.batch_size / (times[-1] - times[0])
    return Duration(left / rate, rate, steps, state.recipe.batch_size)


@torch_defaults()
@own_random_numbers()
def describe_duration(prepared: Prepared) -> str:
    """Return a sentence on how long a training takes.

    It trains the first steps, unless they are compiled. Nothing else can use the training then.
    """
    if prepared.recipe.compile:
        return "not measured with --compile; measure it without"
    extra = ", without evaluations" * bool(prepared.recipe.evaluate_every)
    return f"{measure_steps(prepared.state, prepared.batches)}{extra}"


@torch_defaults()
@own_random_numbers()
def measure_recipe(recipe: Recipe, data: DataSpec, device: torch.device) -> Duration:
    """Return how long a recipe takes on images in memory, measured with noise.

    On the CPU, the batches have at most 16 images: the rate hardly differs, and memory and time do.

    Args:
        recipe: the recipe.
        data: the images.
        device: device of the networks.

    Raises:
        RecipeError, ArchitectureError, IncompatibleCombinationError, ...: as for `train`.
    """
    recipe = build.complete(recipe)
    if device.type == "cpu":
        recipe = replace(recipe, batch_size=min(recipe.batch_size, FEW), accumulate=1)
    seed_networks(recipe.seed)
    loss = build.build_loss(recipe)
    nets = build.build_networks(recipe, data)
    build.check_combination(recipe, nets, loss, data)
    build.normalise_discriminators(recipe, nets, loss)
    shape = (recipe.batch_size, *data.image.shape)
    labels = torch.arange(recipe.batch_size, device=device) % data.classes if data.classes else None
    batch = Batch(torch.rand(shape, device=device).mul_(2).sub_(1), labels)
    return measure_steps(State(recipe, nets, loss, device), itertools.repeat(batch))


def _ignore(*_: object) -> None:
    """Log nothing."""
