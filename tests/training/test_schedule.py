"""The work that is due after each tick, and the options of a run."""

import dataclasses
import inspect

import pytest

import ganzoo
from ganzoo.cli.options import parse_recipe, parse_resume
from ganzoo.training import RunOptions
from ganzoo.training.schedule import due_after_tick
from helpers.recipes import tiny

RECIPE = tiny(
    images=160, log_every=32, sample_every=64, checkpoint_every=48, evaluate_every=80, batch_size=16
)


def due_at(images, interrupted=False, recipe=RECIPE):
    due = dataclasses.asdict(due_after_tick(recipe, images, interrupted))
    return [name for name, is_due in due.items() if is_due]


def test_each_kind_of_work_is_due_at_its_multiples():
    assert {images: due_at(images) for images in range(16, 160, 16) if due_at(images)} == {
        32: ["log"],
        48: ["log", "save", "compare"],
        64: ["log", "sample"],
        80: ["log", "evaluate"],
        96: ["log", "save", "compare"],
        128: ["log", "sample"],
        144: ["log", "save", "compare"],
    }


def test_the_last_tick_does_all_work_and_an_interruption_only_saves():
    assert due_at(160) == ["log", "sample", "evaluate", "save", "compare"]
    assert due_at(16, interrupted=True) == ["log", "sample", "save"]
    assert due_at(48, interrupted=True) == ["log", "sample", "save", "compare"]
    never = tiny(images=160, log_every=16, sample_every=0, checkpoint_every=0)
    assert due_at(32, recipe=never) == ["log"]
    assert due_at(160, recipe=never) == ["log", "sample", "save", "compare"]


@pytest.mark.parametrize("function", [ganzoo.train, ganzoo.resume])
def test_signatures_have_the_options_and_their_defaults(function):
    parameters = inspect.signature(function).parameters
    for field in dataclasses.fields(RunOptions):
        assert parameters[field.name].default == field.default
        assert field.name in function.__doc__
    own = parameters.keys() - {field.name for field in dataclasses.fields(RunOptions)}
    assert own in ({"recipe", "out", "init_from", "fields"}, {"path", "recipe", "change", "fields"})


def test_the_command_line_has_the_same_options(capsys):
    options = ["--device", "cpu", "--max-time", "3h", "--trackers", "tensorboard"]
    _, trained = parse_recipe(["dcgan-digits", *options], "p")
    _, resumed = parse_resume(["--resume", "runs/x", *options], "p")
    for parsed in (trained, resumed):
        assert (parsed.device, parsed.seconds, parsed.trackers) == ("cpu", 10800, ("tensorboard",))
        assert (parsed.monitors, parsed.progress) == ("on", True)
    with pytest.raises(SystemExit):
        parse_resume(["--help"], "p")
    text = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "Continue a run from its newest checkpoint." in text
    assert "stop and save after this time in this process" in text
    assert "--progress" not in text
