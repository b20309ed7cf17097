"""The duration that a plan states."""

import itertools

import pytest
import torch

from ganzoo.games import Batch
from ganzoo.spec import DataSpec, ImageSpec
from ganzoo.training import build, describe_duration, measure_recipe, prepare, timing
from ganzoo.training.state import State
from helpers.recipes import tiny

CPU = torch.device("cpu")
DATA = DataSpec(ImageSpec(16, 16, 1), classes=10)


def measure(monkeypatch, durations, **changes):
    """Return a measurement in which each step takes a stated number of seconds."""
    times = iter(itertools.accumulate(durations, initial=0.0))
    monkeypatch.setattr(timing.time, "perf_counter", lambda: next(times))
    recipe = build.complete(tiny(**changes))
    state = State(recipe, build.build_networks(recipe, DATA), build.build_loss(recipe), CPU)
    size = recipe.batch_size
    batch = Batch(torch.zeros(size, 1, 16, 16), torch.zeros(size, dtype=torch.long))
    return timing.measure_steps(state, itertools.repeat(batch))


def test_the_first_step_does_not_count(monkeypatch):
    duration = measure(monkeypatch, [2.0] + [0.1] * 16, images=80_000, batch_size=8)
    assert duration.images_per_second == pytest.approx(80)
    assert str(duration) == "about 17 min at 80 images/s, measured over 16 steps of 8"


def test_one_slow_step_is_enough(monkeypatch):
    duration = measure(monkeypatch, [40.0], images=8_000, batch_size=8)
    assert str(duration) == "about 11 h 7 min at 0.2 images/s, measured over 1 step of 8"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(3, "3 s"), (89, "89 s"), (100, "2 min"), (3_590, "1 h"), (12_000, "3 h 20 min")]
    + [(86_400, "1 day"), (200_000, "2 days 8 h"), (1e7, "116 days")],
)
def test_durations_have_two_units_at_most(seconds, text):
    assert timing.format_seconds(seconds) == text


def test_a_plan_names_what_is_not_measured():
    prepared = prepare(tiny(images=64, evaluate_every=64, evaluate_with="pixels"), device="cpu")
    assert describe_duration(prepared).endswith(", without evaluations")
    assert describe_duration(prepare(tiny(), device="cpu")).startswith("about 1 s at ")
    assert measure_recipe(tiny(batch_size=64), DATA, CPU).batch_size == 16
