"""Monitors distinguish failing trainings from healthy ones, without changing them."""

import math
import os
import signal

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file
from torch import nn

import ganzoo
from ganzoo.bundle.json_lines import read_lines
from ganzoo.registry import architectures
from ganzoo.spec import Component, Optimizer
from ganzoo.training import prepare
from ganzoo.training.evaluation import some_items
from ganzoo.training.log import Log
from ganzoo.training.loop import run_ticks
from ganzoo.training.monitors import Finding, Monitors
from ganzoo.training.monitors.collapse import ModeCollapse
from ganzoo.training.monitors.episodes import Episode
from ganzoo.training.monitors.exploding import ExplodingGradients
from ganzoo.training.monitors.lost import DiscriminatorLost
from ganzoo.training.monitors.monitor import Monitor
from ganzoo.training.monitors.movement import Movement
from ganzoo.training.monitors.samples import Samples
from ganzoo.training.monitors.stale import StaleLearningRate
from ganzoo.training.monitors.won import DiscriminatorWon
from helpers.processes import run_cli
from helpers.recipes import play, tiny
from helpers.torchrun import run_group

RING = Component("mlp", {"latent_dim": 16, "width": 128, "depth": 2, "slope": 0.2})
SMALL = Component("mlp", {"latent_dim": 32, "width": 64, "depth": 2, "slope": 0.2})


def ring(loss, **changes):
    fields = {
        "architecture": RING,
        "loss": Component(loss, changes.pop("options", {})),
        "dataset": Component("ring"),
        "optimizer": Optimizer(lr=1e-3, betas=(0.5, 0.9)),
        "checkpoint_every": 0,
        "ema_halflife": 1000,
        "log_every": 640,
        "batch_size": 16,
    }
    return tiny(**fields | changes)


def digits(loss, **changes):
    fields = {
        "architecture": SMALL,
        "loss": Component(loss, changes.pop("options", {})),
        "optimizer": Optimizer(lr=2e-4),
        "checkpoint_every": 0,
        "ema_halflife": 1000,
        "log_every": 640,
    }
    return tiny(**fields | changes)


def nearest_mode(images):
    """Return the nearest mode of the ring."""
    angles = 2 * math.pi * torch.arange(8, dtype=torch.float64) / 8
    centres = 0.75 * torch.stack([angles.cos(), angles.sin()], 1)
    return torch.cdist(images.double().flatten(1) / 127.5 - 1, centres).argmin(1)


def watch(recipe, tmp_path, **callables):
    """Train, and return the lines of the log."""
    prepared = prepare(recipe)
    state, log = prepared.state, Log(tmp_path / "log.jsonl", recipe.images, 0, progress=False)
    monitors, lines = Monitors(prepared, **callables), []

    def report():
        images = state.images_seen
        if images // recipe.log_every > (images - recipe.batch_size) // recipe.log_every:
            line = log.read(state)
            lines.append(line | monitors.check(line))
        return True

    run_ticks(
        state, prepared.batches, log_term=log.log_term, log_metric=log.log_metric, report=report
    )
    return lines


def findings(lines):
    return [Finding(**finding) for line in lines for finding in line["findings"]]


def first_finding(lines, monitor):
    """Return the first finding of a monitor."""
    beginnings = [f for f in findings(lines) if (f.monitor, f.event) == (monitor, "begins")]
    assert beginnings, findings(lines)
    return beginnings[0]


def test_mode_collapse(tmp_path):
    """A generator that is ahead of its discriminator collapses to one point."""
    recipe = ring("minimax", options={"discriminator_every": 10}, images=20_000)
    lines = watch(recipe, tmp_path, classes=nearest_mode)
    (finding,) = findings(lines)
    assert finding.monitor == "mode collapse"
    assert "times as much as real ones do" in finding.seen
    assert "--loss wgan-gp" in finding.remedy
    last = [line["samples"] for line in lines if "samples" in line][-1]
    assert last["diversity"] < 0.25
    assert sum(count > 0 for count in last["classes"]) < 8
    assert sum(last["classes"]) == sum(last["real_classes"]) == 64


def test_a_winning_discriminator_is_reported(tmp_path):
    rates = {"discriminator": 2e-2, "generator": 2e-4}
    recipe = digits("minimax", learning_rates=rates, images=4_800, log_every=320)
    lines = watch(recipe, tmp_path)
    finding = first_finding(lines, "the discriminator has won")
    assert "its accuracy is 1.000, and the generator's gradient" in finding.seen
    assert "--loss.discriminator-every 2" in finding.remedy
    assert "--loss.r1 1" in finding.remedy


def test_a_losing_discriminator_is_reported(tmp_path):
    """The discriminator learns too slowly to keep up with the generator."""
    rates = {"discriminator": 1e-8, "generator": 1e-3}
    recipe = ring("nonsaturating", learning_rates=rates, images=12_800)
    finding = first_finding(watch(recipe, tmp_path), "the discriminator has lost")
    assert "that of random guessing" in finding.seen
    assert "--loss.instance-noise" in finding.remedy


def test_exploding_gradients_are_reported(tmp_path):
    """A critic without a Lipschitz constraint, and large steps."""
    options = {"weight_clip": 0.0, "discriminator_steps": 1}
    fast = Optimizer(lr=0.02, betas=(0.5, 0.999))
    recipe = ring(
        "wgan", options=options, optimizer=fast, images=6_400, log_every=128, batch_size=32
    )
    finding = first_finding(watch(recipe, tmp_path), "exploding gradients")
    assert "generator's gradient" in finding.seen
    assert "--optimizer.clip-norm 1" in finding.remedy


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"learning_rates": {"generator": 0.0}}, "the generator's learning rate is 0"),
        ({"learning_rates": {"generator": 1e-12}}, "learning rate is 1.0e-12, and its weights"),
        ({"optimizer": Optimizer(warmup=640)}, "rise over 640 images, but the run has only 160"),
    ],
)
def test_stale_learning_rates_are_reported(tmp_path, changes, text):
    finding = first_finding(watch(tiny(images=160, **changes), tmp_path), "stale learning rate")
    assert text in finding.seen
    assert "discriminator" not in finding.seen
    assert finding.since == 16


@pytest.mark.parametrize(
    "recipe",
    [
        ring("wgan-gp", options={"gp": 0.1}, images=12_800, batch_size=128),
        ring("rpgan", options={"r1": 0.1, "r2": 0.1}, images=25_600, batch_size=128),
        digits("nonsaturating", images=16_000),
        digits("hinge", architecture=tiny().architecture, images=12_800, batch_size=64),
        digits("nonsaturating", images=640, log_every=16),
        tiny(
            architecture=Component("mlp-autoencoder", {"latent_dim": 4, "width": 16}),
            loss=Component("autoencoder"),
            images=6_400,
            log_every=640,
        ),
        tiny(optimizer=Optimizer(lr=1e-3, warmup=320, decay_start=0.5, decay_to=0.0), images=640),
        tiny(loss=Component("nonsaturating", {"discriminator_every": 5}), images=640),
        tiny(precision="fp16", images=640),
    ],
    ids=[
        *("wgan-gp", "rpgan", "nonsaturating", "hinge", "short", "autoencoder", "schedule"),
        *("seldom", "fp16"),
    ],
)
def test_a_healthy_training_has_no_findings(tmp_path, recipe):
    assert findings(watch(recipe, tmp_path)) == []


def lines_of(*rows, every=1000, start=1):
    return [{"images": every * k, "tick": 1000 * k} | row for k, row in enumerate(rows, start)]


def seen_by(monitor, lines):
    return [bool(monitor.check(line)) for line in lines]


def test_a_slow_start_is_not_mode_collapse():
    born = {"samples": {"diversity": 0.1, "distance": 0.5}}
    diverse = {"samples": {"diversity": 0.6, "distance": 0.1}}
    noise = {"samples": {"diversity": 0.9, "distance": 0.6}}
    assert not any(seen_by(ModeCollapse(10**6), lines_of(*[born] * 50)))
    assert seen_by(ModeCollapse(100_000), lines_of(*[born] * 50)) == [False] * 19 + [True] * 31
    growing = [{"samples": {"diversity": 0.1 + 0.002 * k, "distance": 0.5}} for k in range(50)]
    assert not any(seen_by(ModeCollapse(10_000), lines_of(*growing)))
    assert seen_by(ModeCollapse(10**6), lines_of(born, diverse, born)) == [False, False, True]
    assert seen_by(ModeCollapse(10**6), lines_of(noise, born)) == [False, False]


def test_lost_modes_need_a_classifier():
    def with_classes(count):
        return {"samples": {"diversity": 1.0, "classes": [9] * count, "real_classes": [8, 0] * 9}}

    lines = lines_of(*[with_classes(6), with_classes(5)] * 2)
    assert seen_by(ModeCollapse(1000), lines) == [False, True, False, True]
    assert not any(seen_by(ModeCollapse(10**6), lines))


def test_an_equilibrium_is_not_reported():
    """An accuracy of 0.5 is an equilibrium, unless samples stay far from the data."""

    def at(accuracy, distance):
        return {
            "metrics": {"discriminator/accuracy": accuracy},
            "samples": {"distance": distance},
        }

    lines = lines_of(at(0.5, 0.5), at(0.5, 0.45), at(0.5, 0.3), at(0.9, 0.5), at(0.5, 0.5))
    assert seen_by(DiscriminatorLost(5000), lines) == [True, True, False, False, True]
    assert not any(seen_by(DiscriminatorLost(10**6), lines))
    good_from_the_first_look_on = lines_of(*[at(0.5, 0.002), at(0.5, 0.003)] * 3)
    assert not any(seen_by(DiscriminatorLost(5000), good_from_the_first_look_on))


def test_high_accuracy_alone_is_not_reported():
    def at(accuracy, norm):
        return {"metrics": {"d/accuracy": accuracy}, "gradient_norms": {"g": norm, "d": 0.0}}

    lines = lines_of(*[at(1.0, 3.0)] * 3, *[at(1.0, 1e-3)] * 5, at(0.9, 1e-3))
    detections = seen_by(DiscriminatorWon(["g"]), lines)
    assert detections == [False] * 5 + [True] * 3 + [False]


def test_exploding_gradients_are_relative_to_usual_ones():
    norms = [1.0, 2.0, 0.0, 1.0, 2.0, 1.0, 900.0, 1600.0, *[1e6] * 300, 2.0]
    lines = lines_of(*({"gradient_norms": {"g": norm}} for norm in norms))
    assert seen_by(ExplodingGradients(), lines) == [False] * 7 + [True] * 301 + [False]


def test_an_idle_player_is_not_stale():
    rates = {"learning_rates": {"g": 1e-3}, "movement": {"g": 0.0}}
    idle, still = rates | {"gradient_norms": {}}, rates | {"gradient_norms": {"g": 1.0}}
    assert seen_by(StaleLearningRate(tiny()), lines_of(idle, still)) == [False, True]


class Saying(Monitor):
    name, needs, remedy = "saying", ("said",), "nothing"
    begins, ends = 2, 3

    def check(self, line):
        return "x" * line["said"][0]


@given(st.lists(st.sampled_from([True, False, None]), max_size=60))
def test_an_episode_starts_and_ends_once(verdicts):
    """Compare with a count over all verdicts; lines without a verdict are ignored."""
    episode = Episode(Saying())
    lines = [{"images": k} | ({} if s is None else {"said": [s]}) for k, s in enumerate(verdicts)]
    events = [(line["images"], event) for line in lines if (event := episode.read(line))]
    active, expected, history = False, [], []
    for place, s in enumerate(verdicts):
        if s is not None:
            history.append((place, s))
        last = history[-(3 if active else 2) :]
        if s is not None and len(last) == (3 if active else 2):
            if not active and all(s for _, s in last):
                active, since = True, last[0][0]
                expected.append((place, Finding("saying", "begins", since, "x", "nothing")))
            elif active and not any(s for _, s in last):
                active = False
                expected.append((place, Finding("saying", "ends", since)))
    assert events == expected


@pytest.fixture
def constant():
    """A generator whose images depend only on the class."""

    class Constant(nn.Module):
        def __init__(self):
            super().__init__()
            self.levels = nn.Parameter(torch.linspace(-1, 1, 10))

        def forward(self, z, y):
            return self.levels[y].view(-1, 1, 1, 1).expand(-1, 1, 16, 16) + 0 * z.sum()

    @architectures.register("constant")
    def factory(data, *, latent_dim: int = 8, conditional: bool = True):
        generator = Constant()
        if not conditional:
            generator = nn.Sequential(nn.Linear(8, 256), nn.Unflatten(1, (1, 16, 16)))
            nn.init.zeros_(generator[0].weight)
            nn.init.zeros_(generator[0].bias)
        return {
            "generator": generator,
            "discriminator": nn.Sequential(nn.Flatten(), nn.Linear(256, 1), nn.Flatten(0)),
        }

    yield
    architectures.unregister("constant")


def test_sample_statistics_equal_their_definitions(constant):
    prepared = prepare(tiny(architecture=Component("constant", {"conditional": False})))
    numbers = Samples(prepared).measure()
    real = some_items(prepared.batches, 64).images.numpy().reshape(64, -1).astype(float)
    apart = np.linalg.norm(real[:, None] - real[None], axis=2).sum() / (64 * 63)
    between = np.linalg.norm(real - 128, axis=1).mean()  # grey, to which 0 is rounded
    assert numbers["diversity"] == 0
    assert numbers["distance"] == pytest.approx(1 - apart / (2 * between), rel=1e-6)


def test_diversity_is_measured_within_a_class(constant):
    samples = Samples(prepare(tiny(architecture=Component("constant"))))
    assert samples.measure()["diversity"] == 0
    features = samples._measure(samples._generate()).features
    assert torch.pdist(features).mean() > 100, "over all classes it would not look collapsed"


def test_features_and_classes_can_be_passed_as_callables():
    prepared = prepare(tiny())

    def brightness(images):
        assert images.dtype == torch.uint8
        assert images.shape[1:] == (1, 16, 16)
        return images.float().mean((2, 3))

    numbers = Samples(prepared, brightness, classes=lambda x: (x[:, 0, 0, 0] > 9).long()).measure()
    real = some_items(prepared.batches, 64).images.float().mean((1, 2, 3))
    assert sum(numbers["real_classes"]) == 64
    assert numbers["diversity"] < 1
    ours = Samples(prepared, lambda images: torch.ones(len(images), 3)).measure()
    assert ours == {}, "of features that are all the same nothing can be said"
    assert torch.pdist(real[:, None]).mean() > 0


def test_real_images_do_not_depend_on_streaming():
    memory, stream = (prepare(tiny(streaming=kind)).batches for kind in ("off", "on"))
    a, b = some_items(memory, 50), some_items(stream, 50)
    assert torch.equal(a.images, b.images)
    assert torch.equal(a.labels, b.labels)
    assert len(a.labels.unique()) == 10
    assert len(some_items(memory, 10**6).images) == len(memory)


def test_weight_changes_are_measured():
    prepared = prepare(tiny())
    movement = Movement(prepared.state)
    with torch.no_grad():
        for weight in prepared.state.nets["generator"].parameters():
            weight.mul_(1.25)
    assert movement.measure() == {"discriminator": 0, "generator": pytest.approx(0.2)}
    assert movement.measure() == {"discriminator": 0, "generator": 0}


def test_gradient_norms_are_measured_before_clipping():
    prepared = prepare(tiny(images=32, optimizer=Optimizer(clip_norm=1e-3)))
    state, norms = prepared.state, []
    average = type(state.group).average_gradients

    def note(group, weights):
        average(group, weights)
        norms.append(torch.cat([w.grad.flatten() for w in weights if w.grad is not None]).norm())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(state.group), "average_gradients", note)
        play(prepared)
    assert len(norms) == 4
    recorded = list(state.gradient_norms.values())
    torch.testing.assert_close(recorded, norms[:2])
    assert recorded[0] > 1e-3


def weights_of(run):
    return load_file(sorted((run.path / "checkpoints").iterdir())[-1])


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


@pytest.mark.parametrize(
    "recipe",
    [
        tiny(images=160),
        tiny(
            architecture=Component("dcgan", {"latent_dim": 8, "width": 4, "conditioning": "concat"})
        ),
        tiny(streaming="on", loss=Component("nonsaturating", {"augmentation": ["color"]})),
    ],
    ids=["batchnorm", "labels", "streamed"],
)
def test_monitors_do_not_change_the_training(tmp_path, recipe):
    runs = [
        ganzoo.train(recipe, out=tmp_path / kind, progress=False, monitors=kind, tensorboard=kind)
        for kind in ("on", "off")
    ]
    assert same(*map(weights_of, runs))
    on, off = (read_lines(run.path / "log.jsonl") for run in runs)
    assert [line["terms"] for line in on] == [line["terms"] for line in off]
    assert [line["gradient_norms"] for line in on] == [line["gradient_norms"] for line in off]
    extra = {"movement", "samples", "findings"}
    assert on[0].keys() - off[0].keys() == extra
    assert not (tmp_path / "off" / "tensorboard").exists()


def test_a_resumed_run_has_the_findings_of_an_uninterrupted_one(tmp_path, capsys):
    """Monitors of the resumed run restore their state."""
    recipe = tiny(images=320, learning_rates={"generator": 0.0}, checkpoint_every=64)
    whole = ganzoo.train(recipe, out=tmp_path / "whole", progress=False)
    capsys.readouterr()
    original, ticks = Log.log_term, []

    def interrupting(self, player, term, value):
        ticks.append(player.name)
        if ticks.count("generator") == stop:
            os.kill(os.getpid(), signal.SIGTERM)
        original(self, player, term, value)

    for stop in (2, 7):  # before and after the finding
        run = tmp_path / f"{stop}"
        ticks.clear()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Log, "log_term", interrupting)
            stopped = ganzoo.train(recipe, out=run, progress=False)
        assert stopped.images_seen == 16 * stop
        assert ganzoo.resume(run, progress=False).finished
        a, b = (read_lines(path / "log.jsonl") for path in (whole.path, run))
        for name in ("findings", "movement", "gradient_norms", "learning_rates"):
            assert [line[name] for line in a] == [line[name] for line in b], name
        assert [line.get("samples") for line in a] == [line.get("samples") for line in b]
        err = capsys.readouterr().err
        assert err.count("warning: stale learning rate since 16 images: the generator's") == 1
    assert len(findings(a)) == 1


def test_findings_are_printed_once_and_can_be_disabled(tmp_path):
    command = ["train", "dcgan-digits", "--architecture.width", "4", "--images", "640"]
    command += ["--log-every", "64", "--learning-rates", "generator", "0"]
    loud = run_cli(*command, "--out", tmp_path / "loud")
    assert loud.returncode == 0, loud.stderr
    assert loud.stderr.count("warning: stale learning rate since 64 images") == 1
    assert "! stale learning rate" in loud.stderr, "the progress line"
    assert len(findings(read_lines(tmp_path / "loud" / "log.jsonl"))) == 1
    off = ["--monitors", "off", "--tensorboard", "off"]
    quiet = run_cli(*command, "--out", tmp_path / "quiet", *off)
    assert quiet.returncode == 0, quiet.stderr
    assert "stale" not in quiet.stderr
    assert all("findings" not in x for x in read_lines(tmp_path / "quiet" / "log.jsonl"))
    result = run_cli("train", "--resume", tmp_path / "quiet", *off)
    assert result.returncode == 0, result.stderr
    assert not (tmp_path / "quiet" / "tensorboard").exists()


def test_only_the_first_process_runs_monitors(tmp_path):
    recipe = tmp_path / "recipe.toml"
    stuck = tiny(images=320, learning_rates={"generator": 0.0}, sync_batchnorm=True)
    recipe.write_text(stuck.to_toml())
    status, _, err = run_group(2, "train", recipe, "--out", tmp_path / "run")
    assert status == 0, err
    assert err.count("warning: stale learning rate") == 1
    assert len(list((tmp_path / "run" / "tensorboard").iterdir())) == 1
    lines = read_lines(tmp_path / "run" / "log.jsonl")
    assert len(findings(lines)) == 1
    alone = ganzoo.train(stuck, out=tmp_path / "alone", progress=False)
    (first, *_), (first_alone, *_) = lines, read_lines(alone.path / "log.jsonl")
    for name in ("samples", "gradient_norms"):
        assert first[name] == pytest.approx(first_alone[name], rel=1e-3)
