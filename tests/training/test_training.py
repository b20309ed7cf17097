import json
import os
import re
import signal
import time
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import nn

import ganzoo
from ganzoo import Player
from ganzoo.errors import (
    CheckpointError,
    IncompatibleCombinationError,
    NonFiniteLossError,
    OutputError,
    RecipeError,
    RunExistsError,
    RunNotFoundError,
    SampleError,
    UnknownNameError,
)
from ganzoo.games import Batch, Loss, Turn
from ganzoo.registry import architectures, find_recipe, losses
from ganzoo.spec import Component, Optimizer, Recipe
from ganzoo.training import prepare
from ganzoo.training.checkpoint import load_checkpoint
from ganzoo.training.ema import Averaged
from ganzoo.training.log import Log
from ganzoo.training.loop import run_ticks
from ganzoo.training.monitors.samples import Samples
from ganzoo.training.players import learning_rate_factor, set_schedules
from ganzoo.training.snapshot import preview_images
from helpers.processes import run_cli, run_python, start_cli
from helpers.recipes import play, tiny

PAIRS = [
    (a, loss) for a in ("dcgan", "mlp") for loss in ("lsgan", "minimax", "nonsaturating", "wgan-gp")
]
SMALL = {"dcgan": {"latent_dim": 8, "width": 4}, "mlp": {"latent_dim": 8, "width": 16}}


def pair(architecture, loss, **changes) -> Recipe:
    return tiny(
        architecture=Component(architecture, SMALL[architecture]), loss=Component(loss), **changes
    )


def train(recipe, out, **options):
    return ganzoo.train(recipe, out=out, progress=False, **options)


def state_of(run: Path) -> dict[str, torch.Tensor]:
    return load_file(sorted((run / "checkpoints").iterdir())[-1])


def same(a, b) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def log_of(run: Path) -> list[dict]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


@pytest.mark.parametrize(("architecture", "loss"), PAIRS)
def test_a_turn_changes_only_the_players_networks(architecture, loss):
    prepared = prepare(pair(architecture, loss, images=16))
    nets = prepared.state.nets

    def weights():
        return {r: [p.detach().clone() for p in n.parameters()] for r, n in nets.items()}

    changed, before = [], weights()

    constrain = prepared.state.loss.constrain

    def note(player, nets):
        nonlocal before
        constrain(player, nets)
        now = weights()
        moved = {
            r
            for r in nets
            if not all(torch.equal(a, b) for a, b in zip(before[r], now[r], strict=True))
        }
        changed.append((player, moved))
        before = now

    prepared.state.loss.constrain = note
    play(prepared)
    assert len(changed) == sum(player.repeat for player in prepared.state.loss.players)
    for player, moved in changed:
        assert moved == set(player.trains)


class Recorder(Loss):
    """A loss of two players that stores their batches."""

    def __init__(self, every: int, repeat: int) -> None:
        super().__init__()
        self.players = (
            Player("first", ("discriminator",), every=every, repeat=repeat),
            Player("second", ("generator",)),
        )
        self.seen: list[tuple[int, str, int]] = []

    def _note(self, name, nets, batch: Batch, turn: Turn, role):
        self.seen.append((turn.tick, name, hash(batch.images.numpy().tobytes())))
        for other, net in nets.items():
            assert all(p.requires_grad is (other == role) for p in net.parameters())
        note = turn.shared.setdefault("note", batch.images.mean())
        value = sum(p.square().sum() for p in nets[role].parameters())
        return {"term": value + 0 * note}

    def first(self, nets, batch, turn):
        return self._note("first", nets, batch, turn, "discriminator")

    def second(self, nets, batch, turn):
        return self._note("second", nets, batch, turn, "generator")


@pytest.fixture
def watching():
    recorders = []

    @losses.register("watching")
    def factory(*, every: int = 1, repeat: int = 1) -> Loss:
        recorders.append(Recorder(every, repeat))
        return recorders[-1]

    yield recorders
    losses.unregister("watching")


@pytest.mark.parametrize(("every", "repeat"), [(1, 1), (1, 3), (3, 1), (2, 2)])
def test_players_share_the_ticks_first_batch_and_play_when_due(watching, every, repeat):
    loss = Component("watching", {"every": every, "repeat": repeat})
    prepared = prepare(tiny(loss=loss, images=6 * 16))
    play(prepared)
    records = watching[-1].seen
    for tick in range(6):
        first = [b for t, name, b in records if (t, name) == (tick, "first")]
        second = [b for t, name, b in records if (t, name) == (tick, "second")]
        assert len(first) == (repeat if tick % every == 0 else 0)
        assert len(second) == 1
        if first:
            assert first[0] == second[0]
            assert len(set(first)) == repeat
    assert prepared.batches.position == len({b for _, _, b in records})


def test_a_run_is_a_folder_of_recipe_log_samples_checkpoints_bundle(tiny_run):
    assert {p.name for p in tiny_run.iterdir()} == {
        "recipe.toml",
        "run.json",
        "log.jsonl",
        "samples",
        "checkpoints",
        "bundle",
        "tensorboard",
        ".lock",
    }
    assert [p.name for p in sorted((tiny_run / "checkpoints").iterdir())] == [
        "000000000032.safetensors",
        "000000000064.safetensors",
    ]
    assert Image.open(tiny_run / "samples" / "000000000064-samples.png").size == (584, 584)
    log = log_of(tiny_run)
    assert [line["images"] for line in log] == [16, 32, 48, 64]
    assert set(log[0]["terms"]) == {"discriminator/adversarial", "generator/adversarial"}
    assert all(line["images_per_second"] > 0 for line in log)
    assert 0.3 < log[0]["terms"]["discriminator/adversarial"] < 3
    complete = Recipe.from_toml(tiny_run / "recipe.toml")
    assert complete.dataset.arguments == {"size": 16}, "every default is named"
    provenance = ganzoo.info(tiny_run / "bundle").provenance
    assert provenance["images_seen"] == 64
    assert provenance["recipe"] == complete.to_dict() | {
        "optimizer": complete.to_dict()["optimizer"] | {"betas": [0.5, 0.999]},
        "evaluate_metrics": [],
    }
    assert provenance["data"]["images"] == 1797
    assert provenance["versions"]["torch"] == metadata.version("torch")
    assert provenance["hardware"]


def test_training_is_reproducible_bit_for_bit(tmp_path):
    a, b = (train(tiny(), tmp_path / name).path for name in "ab")
    c = train(tiny(seed=1), tmp_path / "c").path
    weights = [load_file(p / "bundle" / "model.safetensors") for p in (a, b, c)]
    assert same(weights[0], weights[1])
    assert not same(weights[0], weights[2])


@pytest.mark.parametrize(
    ("loss", "optimizer"), [("nonsaturating", "adam"), ("wgan-gp", "adam"), ("lsgan", "rmsprop")]
)
@pytest.mark.parametrize("architecture", ["dcgan", "mlp"])
def test_resume_is_exact(tmp_path, architecture, loss, optimizer):
    """A run stopped by a signal between checkpoints continues bit for bit."""
    recipe = pair(
        architecture,
        loss,
        images=160,
        optimizer=Optimizer(name=optimizer, decay_start=0.5),
        checkpoint_every=64,
    )
    whole = train(recipe, tmp_path / "whole")
    assert whole.finished

    original = ganzoo.training.log.Log.log_term
    count = 0

    def interrupting(self, player, term, value):
        nonlocal count
        count += player.name == "generator"
        if count == 5:
            os.kill(os.getpid(), signal.SIGTERM)
        original(self, player, term, value)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ganzoo.training.log.Log, "log_term", interrupting)
        stopped = train(recipe, tmp_path / "parts")
    assert (stopped.finished, stopped.images_seen) == (False, 80)
    resumed = ganzoo.resume(tmp_path / "parts", progress=False)
    assert (resumed.finished, resumed.images_seen) == (True, 160)

    assert same(state_of(whole.path), state_of(resumed.path))
    states = [load_checkpoint(r.path / "checkpoints") for r in (whole, resumed)]
    for state in states:
        assert (
            state["batches_drawn"]
            == 10 * sum(1 for p in prepare(recipe).state.loss.players for _ in range(p.repeat - 1))
            + 10
        )
    counts = [(s["state"]["tick"], s["batches_drawn"], s["recipe"]) for s in states]
    assert counts[0] == counts[1]
    rates = [
        [o["param_groups"][0]["lr"] for o in s["state"]["optimizers"].values()] for s in states
    ]
    assert rates[0] == rates[1]
    a, b = log_of(whole.path), log_of(resumed.path)
    assert [line["images"] for line in a] == [line["images"] for line in b]
    assert [line["terms"] for line in a] == [line["terms"] for line in b]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_and_prints_how_to_resume(tmp_path, number):
    run = tmp_path / "run"
    options = ["--architecture.width", "4", "--log-every", "64", "--images", "10000000"]
    process = start_cli("train", "dcgan-digits", *options, "--out", run)
    deadline = time.monotonic() + 120
    while not (run / "log.jsonl").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(number)
    _, errors = process.communicate()
    assert process.returncode == 130, errors
    assert f"ganzoo train --resume {run}" in errors
    assert "images/s" in errors
    assert "discriminator" in errors
    assert len(list((run / "checkpoints").iterdir())) == 1
    assert ganzoo.load(run / "bundle").sample(2).numpy().shape == (2, 16, 16, 1)


def test_resume_from_the_command_line(tmp_path):
    run = tmp_path / "run"
    arguments = ["--images", "96", "--architecture.width", "4", "--checkpoint-every", "64"]
    assert run_cli("train", "dcgan-digits", *arguments, "--out", run).returncode == 0
    (run / "checkpoints" / "000000000128.safetensors").unlink()
    result = run_cli("train", "--resume", run)
    assert result.returncode == 0, result.stderr
    assert f"ganzoo export {run}" in result.stdout
    assert (run / "checkpoints" / "000000000128.safetensors").exists()


def test_a_finished_run_resumes_to_itself(tmp_path):
    run = train(tiny(), tmp_path / "run").path
    before = state_of(run)
    again = ganzoo.resume(run, progress=False)
    assert again.finished
    assert same(before, state_of(run))


@pytest.mark.parametrize(
    "changes",
    [
        {"loss": Component("nonsaturating", {"r1": 1.0, "penalty_every": 3})},
        {"precision": "bf16"},
        {"precision": "fp16"},
        {"accumulate": 4},
        {"loss": Component("rpgan", {"discriminator_steps": 2}), "fresh_latents": True},
        {"optimizer": Optimizer(name="adamw", weight_decay=0.1)},
        {"optimizer": Optimizer(name="sgd", lr=0.01)},
        {"batch_size": 700, "images": 700 * 6},  # two of the ticks pass the end of an epoch
    ],
    ids=["r1", "bf16", "fp16", "accumulate", "fresh", "adamw", "sgd", "epochs"],
)
def test_resume_from_an_older_checkpoint_is_exact(tmp_path, changes):
    batch = changes.get("batch_size", 16)
    recipe = tiny(**{"images": 160, "checkpoint_every": 4 * batch} | changes)
    run = train(recipe, tmp_path / "run").path
    first, *_, last = sorted((run / "checkpoints").iterdir())
    expected = state_of(run)
    last.unlink()
    assert first != last
    ganzoo.resume(run, progress=False)
    assert same(expected, state_of(run))


class Poison(Loss):
    """A game whose generator's term becomes NaN after some ticks."""

    players = (Player("generator", ("generator", "discriminator")),)

    def generator(self, nets, batch, turn):
        weights = [p.sum() for net in nets.values() for p in net.parameters()]
        bad = float("nan") if turn.tick >= 5 else 0.0
        return {"fine": sum(weights), "poisoned": sum(weights) * bad}


def test_a_non_finite_loss_stops_and_keeps_the_last_good_checkpoint(tmp_path):
    losses.register("poison")(lambda: Poison())
    try:
        with pytest.raises(NonFiniteLossError) as error:
            train(tiny(loss=Component("poison"), images=320), tmp_path / "run")
    finally:
        losses.unregister("poison")
    text = str(error.value)
    assert "the generator's term 'poisoned' became nan" in text
    good = tmp_path / "run" / "checkpoints" / "000000000064.safetensors"
    assert f"The last good checkpoint is {good}" in text
    assert "--optimizer.lr" in text
    assert "--resume" not in text, "it would become NaN again"
    newest = sorted(good.parent.iterdir())[-1]
    assert newest == good
    assert all(torch.isfinite(t).all() for t in load_file(newest).values())


@pytest.mark.parametrize("loss", ["autoencoder", "vae"])
def test_an_autoencoder_that_diverges_stops_with_the_same_sentence(tmp_path, loss):
    recipe = tiny(
        architecture=Component("conv-autoencoder", {"width": 4, "hidden": 8}),
        loss=Component(loss),
        optimizer=Optimizer(lr=100.0),
        images=16,
    )
    prepared = prepare(recipe, device="cpu")
    for weight in prepared.state.nets["encoder"].parameters():
        torch.nn.init.constant_(weight, float("nan"))
    log = Log(tmp_path / "log.jsonl", 16, 0, progress=False)
    run_ticks(
        prepared.state,
        prepared.batches,
        log_term=log.log_term,
        log_metric=log.log_metric,
        report=lambda: True,
    )
    with pytest.raises(
        NonFiniteLossError, match="the autoencoder's term 'reconstruction' became nan"
    ):
        log.read(prepared.state)


class Spreading(Loss):
    """The generator's second term is the first that is not finite; all others follow."""

    players = (
        Player("discriminator", ("discriminator",)),
        Player("generator", ("generator",)),
    )

    def discriminator(self, nets, batch, turn):
        fake = nets["generator"](turn.latents(len(batch)))
        return {"first": nets["discriminator"](fake).logits}

    def generator(self, nets, batch, turn):
        weights = sum(p.sum() for p in nets["generator"].parameters())
        bad = float("inf") if turn.tick >= 3 else 0.0
        return {"fine": weights, "culprit": weights * bad}


class BadGradient(Loss):
    """The loss is finite, its gradient is not: sqrt at 0."""

    players = (Player("generator", ("generator", "discriminator")),)

    def generator(self, nets, batch, turn):
        weights = sum(p.square().sum() for net in nets.values() for p in net.parameters())
        return {"term": (weights - weights.detach() if turn.tick >= 3 else weights).sqrt()}


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (Spreading, "the generator's term 'culprit' became"),
        (BadGradient, "holds NaN or infinity after 64 images. All losses were finite"),
    ],
)
def test_the_first_non_finite_term_is_named_and_not_saved(tmp_path, loss, message):
    losses.register("bad")(lambda: loss())
    recipe = tiny(loss=Component("bad"), images=640, log_every=320, checkpoint_every=32)
    if loss is Spreading:
        recipe = replace(recipe, checkpoint_every=320)
    try:
        with pytest.raises(NonFiniteLossError) as error:
            train(recipe, tmp_path / "run")
    finally:
        losses.unregister("bad")
    assert message in str(error.value)
    for path in (tmp_path / "run" / "checkpoints").glob("*"):
        assert all(torch.isfinite(t).all() for t in load_file(path).values())
    if loss is BadGradient:
        weights = load_file(tmp_path / "run" / "bundle" / "model.safetensors")
        assert all(torch.isfinite(t).all() for t in weights.values())


@pytest.mark.parametrize("loss", ["nonsaturating", "autoencoder"])
def test_previews_of_a_network_that_diverged_are_an_error(loss):
    """Of weights that are not finite, and of finite weights that overflow."""
    architecture = {"autoencoder": "conv-autoencoder"}.get(loss, "dcgan")
    arguments = {"latent_dim": 2, "width": 4}
    recipe = tiny(loss=Component(loss), architecture=Component(architecture, arguments))
    prepared = prepare(recipe, device="cpu")
    preview_images(prepared)
    role = "encoder" if loss == "autoencoder" else "generator"
    with torch.no_grad():
        for weight in prepared.state.ema.networks[role].parameters():
            weight.copy_(torch.where(weight > 0, 3e38, -3e38))
    with pytest.raises(SampleError, match="not finite|NaN or infinite"):
        preview_images(prepared)
    next(prepared.state.nets[role].parameters()).data.fill_(float("nan"))
    with pytest.raises(NonFiniteLossError, match=f"network '{role}' holds NaN or infinity"):
        preview_images(prepared)
    with pytest.raises(NonFiniteLossError, match=f"network '{role}' holds NaN or infinity"):
        Samples(prepared).measure()


def test_images_of_five_channels_train(tmp_path):
    from torch.utils.data import TensorDataset

    data = TensorDataset(torch.zeros(9, 5, 16, 16, dtype=torch.uint8), torch.zeros(9))
    spec = ganzoo.DataSpec(ganzoo.ImageSpec(16, 16, 5))
    ganzoo.datasets.register("five")(lambda root: (data, spec))
    try:
        run = train(tiny(dataset=Component("five"), images=16), tmp_path / "run")
    finally:
        ganzoo.datasets.unregister("five")
    assert ganzoo.load(run.bundle).sample(2).numpy().shape == (2, 16, 16, 5)


def test_a_penalty_with_batchnorm_warns():
    with pytest.warns(UserWarning, match="discriminator-norm none"):
        prepare(pair("dcgan", "wgan-gp"))
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        prepare(pair("mlp", "wgan-gp"))
        arguments = SMALL["dcgan"] | {"discriminator_norm": "none"}
        prepare(tiny(architecture=Component("dcgan", arguments), loss=Component("wgan-gp")))


@pytest.mark.parametrize("device", ["gpu", "cuda:99", "meta"])
def test_a_missing_device_is_refused(device):
    with pytest.raises(RecipeError, match="cpu"):
        prepare(tiny(), device=device)


def test_an_absurd_latent_length_is_refused(tmp_path):
    with pytest.raises(ValueError, match="latent dim is 1e\\+09"):
        train(tiny(architecture=Component("dcgan", {"latent_dim": 10**9})), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_an_existing_run_folder_is_not_changed(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.txt").write_text("mine")
    with pytest.raises(RunExistsError, match=r"is not empty\. Pass another folder with --out DIR$"):
        train(tiny(), tmp_path / "run")
    assert [p.name for p in (tmp_path / "run").iterdir()] == ["thesis.txt"]
    with pytest.raises(RunExistsError, match=r"thesis\.txt is a file"):
        train(tiny(), tmp_path / "run" / "thesis.txt")


def test_resume_without_a_run_or_checkpoint_is_refused(tmp_path):
    with pytest.raises(RunNotFoundError, match=r"holds no recipe\.toml"):
        ganzoo.resume(tmp_path)
    (tmp_path / "recipe.toml").write_text(tiny().to_toml())
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "000000000016.safetensors").write_bytes(b"\x10\x00half")
    with pytest.raises(CheckpointError, match="is damaged"):
        ganzoo.resume(tmp_path)


def test_a_run_without_a_checkpoint_restarts(tmp_path, tiny_run):
    (tmp_path / "recipe.toml").write_text(tiny().to_toml())
    assert ganzoo.resume(tmp_path, progress=False).finished
    assert same(state_of(tmp_path), state_of(tiny_run))


def test_resume_refuses_another_recipe(tmp_path):
    run = train(tiny(), tmp_path / "run").path
    path = run / "recipe.toml"
    path.write_text(path.read_text().replace("batch_size = 16", "batch_size = 8"))
    with pytest.raises(CheckpointError, match="differs from the recipe of the run"):
        ganzoo.resume(run, progress=False)


def test_resume_refuses_other_data(tmp_path):
    from helpers.datasets import pictures

    recipe = tiny(dataset=Component("folder", {"size": 16}))
    run = train(recipe, tmp_path / "run", data=pictures(tmp_path / "a", ["1.png", "2.png"])).path
    other = pictures(tmp_path / "b", ["1.png"])
    with pytest.raises(CheckpointError, match="differs from the data that .* was") as error:
        ganzoo.resume(run, data=other, progress=False)
    assert f"--data {other} --init-from {run} --out {run}-2" in str(error.value)
    assert ganzoo.resume(run, progress=False).finished, "it remembers where its data lies"


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="no file permissions to take away")
def test_a_read_only_output_folder_is_an_error(tmp_path):
    (tmp_path / "recipe.toml").write_text(tiny().to_toml())
    code = """
import os, sys, tempfile, torch, sklearn.datasets
from pathlib import Path
from ganzoo.errors import OutputError
from ganzoo.spec import Recipe
from ganzoo.training import prepare, train
recipe = Recipe.from_toml(Path(sys.argv[1]))
prepare(recipe)  # imports all that is needed while it can be read
locked = tempfile.mkdtemp()
os.chmod(locked, 0o555)
root = os.getuid() == 0  # to whom permissions do not apply
if root:
    os.seteuid(65534)
try:
    os.mkdir(os.path.join(locked, "probe"))
except PermissionError:
    pass
else:
    raise SystemExit("the folder can be written: this test would show nothing")
try:
    train(recipe, out=os.path.join(locked, "run"), progress=False)
except OutputError as error:
    print(error)
if root:
    os.seteuid(0)
assert os.listdir(locked) == []
os.rmdir(locked)
"""
    result = run_python(code, str(tmp_path / "recipe.toml"))
    assert result.returncode == 0, result.stderr
    assert "Permission denied. Choose a folder that is writable" in result.stdout


def test_a_full_disk_keeps_the_last_checkpoint(tmp_path):
    """File sizes are limited: log and bundle fit, a checkpoint does not."""
    run = train(tiny(), tmp_path / "run").path
    before = {p: p.read_bytes() for p in sorted((run / "checkpoints").iterdir())}
    before.popitem()
    sorted((run / "checkpoints").iterdir())[-1].unlink()
    code = """
import resource, signal, sys, ganzoo
from ganzoo.errors import OutputError
import ganzoo.training, torch, sklearn.datasets
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    ganzoo.resume(sys.argv[1], progress=False)
except OutputError as error:
    print(error)
"""
    result = run_python(code, run)
    assert result.returncode == 0, result.stderr
    assert "File too large" in result.stdout
    assert "The last good checkpoint is" in result.stdout
    assert {p: p.read_bytes() for p in (run / "checkpoints").iterdir()} == before
    assert ganzoo.load(run / "bundle")


def test_a_mistyped_component_or_argument_suggests_the_nearest():
    with pytest.raises(UnknownNameError, match="no loss named 'wgan-pg'. Did you mean 'wgan-gp'"):
        prepare(tiny(loss=Component("wgan-pg")))
    with pytest.raises(
        RecipeError, match="no argument 'discriminator_stpes'. Did you mean 'discriminator_steps'"
    ):
        prepare(tiny(loss=Component("wgan-gp", {"discriminator_stpes": 1})))
    with pytest.raises(RecipeError, match="valid integer"):
        prepare(tiny(architecture=Component("dcgan", {"width": "wide"})))
    with pytest.raises(
        RecipeError, match="loss 'wgan-gp' cannot be built: discriminator_steps is 0"
    ):
        prepare(tiny(loss=Component("wgan-gp", {"discriminator_steps": 0})))
    with pytest.raises(RecipeError, match="no player 'generater'. Did you mean 'generator'"):
        prepare(tiny(learning_rates={"generater": 1.0}))


def test_an_incompatible_combination_names_compatible_ones():
    class Autoencoding(Loss):
        players = (Player("autoencoder", ("encoder", "generator")),)

    @architectures.register("auto")
    def auto(data, *, latent_dim: int = 2):
        return {"encoder": nn.Flatten(), "generator": nn.Flatten()}

    losses.register("autoencoding")(lambda: Autoencoding())
    try:
        with pytest.raises(IncompatibleCombinationError) as error:
            prepare(tiny(loss=Component("autoencoding")))
    finally:
        losses.unregister("autoencoding")
        architectures.unregister("auto")
    text = str(error.value)
    assert "'autoencoding' trains encoder, generator" in text
    assert "'dcgan' builds discriminator, generator" in text
    fit = dict(re.findall(r"(Losses|Architectures) that fit [\w-]+: (.*?)\.", text))
    assert {"lsgan", "minimax", "wgan-gp"} <= set(fit["Losses"].split(", "))
    assert not {"autoencoding", "vae", "bigan"} & set(fit["Losses"].split(", "))
    assert {"auto", "mlp-autoencoder"} <= set(fit["Architectures"].split(", "))
    assert not {"dcgan", "resnet"} & set(fit["Architectures"].split(", "))
    assert isinstance(error.value, ValueError)


@pytest.mark.parametrize(("loss", "choice"), [("vaegan", "image"), ("bigan", "joint")])
def test_an_option_that_makes_a_combination_fit_is_named(loss, choice):
    with pytest.raises(
        IncompatibleCombinationError, match=f"--architecture.discriminator {choice}"
    ):
        prepare(tiny(architecture=Component("mlp-autoencoder"), loss=Component(loss)))


def test_an_unsupported_image_size_is_refused(tmp_path):
    recipe = tiny(dataset=Component("digits", {"size": 8}))
    with pytest.raises(ValueError, match="'dcgan' cannot generate images of 8x8x1"):
        train(recipe, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_average_is_exponential():
    """After a change of weights from 0 to 1, the distance halves in each half-life."""
    network = nn.Sequential(nn.Linear(1, 1, bias=False), nn.BatchNorm1d(1))
    nn.init.zeros_(network[0].weight)
    average = Averaged({"generator": network}, halflife=100, batch_size=10)
    average.update(10**9)
    nn.init.ones_(network[0].weight)
    network[1].running_mean.fill_(1.0)
    for _ in range(20):  # two half-lives
        average.update(10**9)
    averaged = average.networks["generator"]
    assert averaged[0].weight.item() == pytest.approx(0.75, abs=1e-5)
    assert averaged[1].running_mean.item() == pytest.approx(0.75, abs=1e-5)
    follows = Averaged({"generator": network}, halflife=0, batch_size=10)
    nn.init.constant_(network[0].weight, 7.0)
    follows.update(20)
    follows.update(30)
    assert follows.networks["generator"][0].weight.item() == 7.0


def test_learning_rates_are_per_player_and_fall():
    recipe = tiny(
        images=100,
        optimizer=Optimizer(lr=2.0, decay_start=0.5, decay_to=0.2),
        learning_rates={"generator": 3.0},
    )
    factors = [learning_rate_factor(recipe, n) for n in (0, 50, 75, 100)]
    assert factors == pytest.approx([1, 1, 0.6, 0.2])
    assert learning_rate_factor(replace(recipe, optimizer=Optimizer()), 100) == 1
    prepared = prepare(recipe)
    rates = {n: o.param_groups[0]["lr"] for n, o in prepared.state.optimizers.items()}
    assert rates == {"discriminator": 2.0, "generator": 3.0}


def test_learning_rates_warm_up_and_follow_a_cosine():
    recipe = tiny(
        images=100,
        batch_size=10,
        optimizer=Optimizer(warmup=40, decay="cosine", decay_start=0.5, decay_to=0.0),
    )
    factors = [learning_rate_factor(recipe, n) for n in (0, 10, 30, 40, 50, 75, 100)]
    assert factors == pytest.approx([0.25, 0.5, 1, 1, 1, 0.5, 0], abs=1e-12)


def test_the_second_beta_follows_the_decay():
    """0.9 + (0.99 - 0.9) (1 - cos(pi t)) / 2 over the share t of the decay."""
    rises = Optimizer(betas=(0.0, 0.9), beta2_to=0.99, decay="cosine", decay_start=0.5)
    recipe = tiny(images=100, optimizer=rises)
    optimizers = prepare(recipe).state.optimizers
    for images, expected in ((0, 0.9), (50, 0.9), (62.5, 0.913180), (75, 0.945), (100, 0.99)):
        set_schedules(recipe, optimizers, images)
        for optimizer in optimizers.values():
            assert optimizer.param_groups[0]["betas"] == pytest.approx((0, expected), abs=1e-6)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, r"decay_start is 1, so nothing decays\. Set decay_start below 1"),
        ({"decay_start": 0.5, "name": "sgd"}, "name is 'sgd', which has no beta2. Use adam"),
        ({"decay_start": 0.5, "beta2_to": 1.0}, "beta2_to"),
    ],
)
def test_a_second_beta_that_cannot_change_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        Optimizer(**{"beta2_to": 0.99} | changes)


def test_gradients_are_clipped_to_a_norm(tmp_path):
    """A step of SGD is lr times the gradient, so its norm is at most lr times the limit."""
    optimizer = Optimizer("sgd", lr=1.0, clip_norm=0.01)
    prepared = prepare(tiny(images=16, optimizer=optimizer))
    before = {r: [p.clone() for p in n.parameters()] for r, n in prepared.state.nets.items()}
    play(prepared)
    for role, net in prepared.state.nets.items():
        moved = [
            (p - q).square().sum() for p, q in zip(net.parameters(), before[role], strict=True)
        ]
        assert torch.stack(moved).sum().sqrt().item() == pytest.approx(0.01, rel=1e-3)


def test_recipes_choose_initialisation_and_spectral_norm():
    nets = prepare(tiny(initialisation="orthogonal")).state.nets
    for net in nets.values():
        for module in net.modules():
            if isinstance(module, nn.Conv2d):
                rows = module.weight.flatten(1).double()
                small = rows @ rows.T if len(rows) <= rows.shape[1] else rows.T @ rows
                torch.testing.assert_close(small, torch.eye(len(small)).double(), atol=1e-5, rtol=0)
    mlp = Component("mlp", {"width": 64})
    for module in prepare(tiny(architecture=mlp, initialisation="normal")).state.nets.values():
        weights = torch.cat([x.weight.flatten() for x in module.modules() if hasattr(x, "weight")])
        assert weights.std().item() == pytest.approx(0.02, rel=0.05)
    state = prepare(tiny(spectral_norm=True)).state
    for module in state.nets["discriminator"].modules():
        if isinstance(module, nn.Conv2d):
            largest = torch.linalg.matrix_norm(module.weight.flatten(1), 2).item()
            assert largest == pytest.approx(1, abs=0.15)  # one power iteration at a time
    assert not any("parametrizations" in name for name in state.nets["generator"].state_dict())


def test_logged_metrics_appear_in_the_log(tiny_run):
    lines = log_of(tiny_run)
    assert all(0 <= line["metrics"]["discriminator/accuracy"] <= 1 for line in lines)
    assert all("accuracy" not in name for line in lines for name in line["terms"])


def test_a_private_recipe_is_a_file(tmp_path):
    path = tmp_path / "my-gan.toml"
    path.write_text(tiny(images=16).to_toml().replace('name = "tiny"\n', ""))
    assert find_recipe(str(path)).name == "my-gan"
    assert train(path, tmp_path / "run").images_seen == 16


def test_output_error_is_an_oserror():
    assert issubclass(OutputError, OSError)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_it_trains_on_cuda(tmp_path):
    run = train(tiny(), tmp_path / "run", device="cuda")
    assert run.finished
    generator = ganzoo.load(run.bundle).to("cuda")
    reference = ganzoo.load(run.bundle)
    difference = generator.sample(64).numpy().astype(int) - reference.sample(64).numpy()
    assert abs(difference).max() <= 1
