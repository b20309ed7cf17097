"""Several processes compute what one does: mixing, noise, path lengths, augmentation and all."""

import subprocess
import sys
from pathlib import Path

import numpy as np
from conftest import recipe

from ganzoo.spec import Component, Optimizer

SCRIPT = Path(__file__).parents[3] / "tests" / "gradients.py"
TICKS = 9  # two of path lengths after the first, two adaptations


def test_processes_compute_the_gradients_of_one(tmp_path):
    chosen = recipe(
        {"conditioning": "projection"},
        loss=Component("stylegan2", {"r1": 1.0, "penalty_every": 4, "ada": True, "ada_images": 50}),
        images=TICKS * 8,
        optimizer=Optimizer(name="sgd", lr=1e-3),
    )
    file = tmp_path / "styles.toml"
    file.write_text(chosen.to_toml())
    played = {}
    for processes in (1, 2):
        out = tmp_path / str(processes)
        out.mkdir()
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
        command += ["--nproc-per-node", str(processes), str(SCRIPT), str(out), "", str(file)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        played[processes] = dict(np.load(out / "styles.npz"))
    alone, together = played.values()
    assert alone.keys() == together.keys()
    assert len(alone) == 2 * TICKS
    for update, gradient in alone.items():
        error = np.linalg.norm(gradient - together[update]) / np.linalg.norm(gradient)
        assert error < 1e-9, update
