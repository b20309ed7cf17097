"""Several processes, started by torchrun over gloo, compute the results of one.

torchrun forks the processes of all tests but one, which runs the command of the documentation.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import ganzoo
from ganzoo.spec import Component, Optimizer, Recipe
from ganzoo.training import resume
from ganzoo.training.checkpoint import load_checkpoint, save_checkpoint
from helpers.gradients import difference
from helpers.processes import run_cli
from helpers.recipes import tiny
from helpers.torchrun import run_group, start_group

PLAIN = {"latent_dim": 8, "width": 4, "discriminator_norm": "none"}
GAMES = {
    "nonsaturating": tiny(loss=Component("nonsaturating")),
    "augmented": tiny(
        loss=Component(
            "nonsaturating",
            {"augmentation": ["color", "translation", "cutout"], "instance_noise": 0.1},
        )
    ),
    "wgan-gp": tiny(
        architecture=Component("dcgan", PLAIN),
        loss=Component("wgan-gp", {"discriminator_steps": 2}),
    ),
    "rpgan": tiny(
        architecture=Component("dcgan", PLAIN), loss=Component("rpgan", {"r1": 1.0, "r2": 1.0})
    ),
    "ragan": tiny(loss=Component("ragan")),
    "dragan": tiny(
        architecture=Component("dcgan", PLAIN), loss=Component("hinge", {"dragan": 10.0})
    ),
    "vae": tiny(
        architecture=Component("conv-autoencoder", {"latent_dim": 4, "width": 4, "hidden": 8}),
        loss=Component("vae"),
    ),
    "conditional": tiny(
        architecture=Component("dcgan", {"latent_dim": 8, "width": 4, "conditioning": "auxiliary"}),
        loss=Component("acgan"),
        accumulate=2,
    ),
    "fresh": tiny(
        architecture=Component("dcgan", PLAIN),
        loss=Component("ragan", {"dragan": 1.0, "augmentation": ["translation"]}),
        accumulate=2,
        fresh_latents=True,
        spectral_norm=True,
        streaming="on",
    ),
}
PROCESSES, TICKS = 3, 6


@pytest.fixture(scope="module")
def differences(tmp_path_factory):
    """Differences between the gradients of several processes and of one, for every game."""
    folder = tmp_path_factory.mktemp("gradients")
    for name, game in GAMES.items():
        recipe = replace(
            game,
            name=name,
            images=TICKS * 12,
            batch_size=12,
            optimizer=Optimizer(name="sgd", lr=0.01),
            sync_batchnorm=True,
        )
        (folder / f"{name}.toml").write_text(recipe.to_toml())
    return difference(PROCESSES, folder, "", *sorted(folder.iterdir()))


@pytest.mark.parametrize("game", GAMES)
def test_processes_compute_the_gradients_of_one(differences, game):
    assert len(differences[game]) >= TICKS
    assert max(differences[game]) < 1e-9


def wait_for_checkpoints(run: Path, agent, count: int = 1) -> None:
    while len(list((run / "checkpoints").glob("*.safetensors"))) < count:
        assert agent.poll() is None
        time.sleep(0.02)


@pytest.fixture
def recipe_file(tmp_path):
    def write(**changes) -> Path:
        file = tmp_path / "together.toml"
        file.write_text(tiny(**changes).to_toml())
        return file

    return write


def test_only_the_first_process_writes_and_a_run_resumes_with_another_number(recipe_file, tmp_path):
    recipe, run = recipe_file(images=10**9, checkpoint_every=64, log_every=32), tmp_path / "run"
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    together = subprocess.Popen(
        [sys.executable, *launch, "-m", "ganzoo", "train", recipe, "--out", run],
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for_checkpoints(run, together, 2)
    together.send_signal(signal.SIGINT)
    _, err = together.communicate(timeout=120)
    assert err.count("ganzoo train --resume") == 1, err
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [line["images"] for line in lines] == sorted({line["images"] for line in lines})
    images = load_checkpoint(run / "checkpoints")["state"]["tick"] * 16
    assert images == lines[-1]["images"]
    shorten(run, images + 64)
    alone = resume(run, progress=False)
    assert alone.finished
    assert alone.images_seen == images + 64


def test_a_signal_to_one_process_stops_all(recipe_file, tmp_path):
    recipe, run = recipe_file(images=10**9, checkpoint_every=64), tmp_path / "run"
    together = start_group(2, "train", recipe, "--out", run)
    wait_for_checkpoints(run, together.agent)
    os.kill(together.pid(1), signal.SIGINT)
    _, _, err = together.finish()
    assert err.count(f"ganzoo train --resume {run}") == 1, err
    assert "Error" not in err.split("ganzoo train --resume")[0], err
    assert load_checkpoint(run / "checkpoints")


def shorten(run: Path, images: int) -> None:
    """Shorten an endless run, in its recipe and in its checkpoints."""
    folder = run / "checkpoints"
    recipe = replace(Recipe.from_toml(run / "recipe.toml"), images=images)
    state = load_checkpoint(folder) | {"recipe": recipe.to_toml()}
    (run / "recipe.toml").write_text(recipe.to_toml())
    save_checkpoint(folder, state["state"]["tick"] * 16, state, 1)


# The lengthened run has the weights of a run of that length.
LENGTHEN = """
import sys
import ganzoo
recipe, run = sys.argv[1:]
ganzoo.train(recipe, images=320, out=run)
assert ganzoo.resume(run, images=640).finished
"""


def test_a_killed_process_is_replaced_and_the_run_resumes(recipe_file, tmp_path):
    recipe, run = recipe_file(images=640, checkpoint_every=64), tmp_path / "run"
    together = start_group(2, "train", recipe, "--out", run, restarts=2)
    wait_for_checkpoints(run, together.agent)
    os.kill(together.pid(1), signal.SIGKILL)
    status, out, err = together.finish()
    assert status == 0, err
    assert out.count("trained on 640 images") == 1
    images = [json.loads(x)["images"] for x in (run / "log.jsonl").read_text().splitlines()]
    assert images == [16 * k for k in range(1, 41)]
    (script := tmp_path / "lengthen.py").write_text(LENGTHEN)
    status, _, err = run_group(2, recipe, tmp_path / "again", script=script)
    assert status == 0, err
    assert err.count("2 processes, BatchNorm over each process") == 2, "of both trainings"
    whole, resumed = (
        ganzoo.load(path / "bundle", runtime="torch").state_dict()
        for path in (tmp_path / "again", run)
    )
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(resumed[name], tensor) for name, tensor in whole.items())


def test_errors_name_their_rank(recipe_file, tmp_path):
    recipe = recipe_file(batch_size=15)
    status, _, err = run_group(2, "train", recipe, "--out", tmp_path / "run")
    assert status != 0
    assert re.search(r"error \(rank \d\): 2 processes cannot share batches of 15 images", err)
    assert "--batch-size 16" in err
    assert not (tmp_path / "run").exists()


def test_a_restart_does_not_resume_another_run(recipe_file, tmp_path):
    run = ganzoo.train(tiny(), out=tmp_path / "run", progress=False).path
    before = {file: file.read_bytes() for file in run.rglob("*") if file.is_file()}
    together = start_group(2, "train", recipe_file(seed=1), "--out", run, restarts=1)
    status, _, err = together.finish()
    assert status != 0
    assert err.count("exists already") >= 2
    assert {file: file.read_bytes() for file in run.rglob("*") if file.is_file()} == before


def test_a_process_lost_in_a_backward_pass_is_an_error(recipe_file, tmp_path):
    """Set up a game whose statistics over the whole batch average gradients."""
    recipe = recipe_file(images=10**9, sync_batchnorm=True, checkpoint_every=64)
    run = tmp_path / "run"
    together = start_group(2, "train", recipe, "--out", run)
    wait_for_checkpoints(run, together.agent)
    os.kill(together.pid(1), signal.SIGKILL)
    _, _, err = together.finish()
    assert re.search(r"error \(rank 0\): another process of the training has ended", err), err
    assert f"ganzoo train --resume {run}" in err


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"RANK": "0", "WORLD_SIZE": "two"}, "must be whole numbers"),
        ({"RANK": "0", "WORLD_SIZE": "2"}, "Start them with torchrun"),
    ],
)
def test_an_incomplete_launcher_environment_is_refused(recipe_file, tmp_path, environment, message):
    done = run_cli("train", recipe_file(), "--out", tmp_path / "run", env=environment)
    assert done.returncode == 1
    assert done.stderr.startswith("error (rank 0): ")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
