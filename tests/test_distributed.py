"""Several processes compute what one does. Real ones, started by torchrun, over gloo."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import tiny

from ganzoo.spec import Component, Optimizer

SCRIPT = Path(__file__).parent / "gradients.py"
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
        architecture=Component("dcgan", PLAIN), loss=Component("wgan-gp", {"critic_steps": 2})
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
}
TICKS = 20


def torchrun(processes: int, *args: object, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone"]
        + ["--nproc-per-node", str(processes), *map(str, args)],
        capture_output=True,
        text=True,
        timeout=300,
        **options,
    )


@pytest.fixture(scope="module")
def recipes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recipes")
    for name, game in GAMES.items():
        recipe = replace_all(game, name)
        (folder / f"{name}.toml").write_text(recipe.to_toml())
    return sorted(folder.iterdir())


def replace_all(game, name):
    from dataclasses import replace

    return replace(
        game,
        name=name,
        images=TICKS * 16,
        batch_size=16,
        optimizer=Optimizer(name="sgd", lr=0.01),
        sync_batchnorm=True,
    )


@pytest.fixture(scope="module")
def gradients(recipes, tmp_path_factory):
    """Every gradient of every game, by the number of processes."""
    played = {}
    for processes in (1, 2, 4):
        out = tmp_path_factory.mktemp(f"by-{processes}")
        done = torchrun(processes, SCRIPT, out, "", *recipes)
        assert done.returncode == 0, done.stderr
        played[processes] = {name: dict(np.load(out / f"{name}.npz")) for name in GAMES}
    return played


@pytest.mark.parametrize("processes", [2, 4])
@pytest.mark.parametrize("game", GAMES)
def test_processes_compute_the_gradients_of_one(gradients, game, processes):
    alone, together = gradients[1][game], gradients[processes][game]
    assert alone.keys() == together.keys()
    assert len(alone) >= TICKS
    for update, gradient in alone.items():
        assert np.abs(gradient).max() > 0
        error = np.linalg.norm(gradient - together[update]) / np.linalg.norm(gradient)
        assert error < 1e-9, update
