"""Several processes compute what one does, dropout and all."""

import subprocess
import sys
from pathlib import Path

import numpy as np
from conftest import recipe

from ganzoo.spec import Component, Optimizer

SCRIPT = Path(__file__).parents[3] / "tests" / "gradients.py"
TICKS = 20


def test_processes_compute_the_gradients_of_one(data_for, tmp_path):
    chosen = recipe(
        "unet",
        loss=Component("pix2pix"),
        images=TICKS * 4,
        optimizer=Optimizer(name="sgd", lr=1e-4),
        sync_batchnorm=True,
    )
    file = tmp_path / "pix2pix.toml"
    file.write_text(chosen.to_toml())
    played = {}
    for processes in (1, 2, 4):
        out = tmp_path / str(processes)
        out.mkdir()
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
        command += ["--nproc-per-node", str(processes), str(SCRIPT)]
        command += [str(out), str(data_for(chosen)), str(file)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        played[processes] = dict(np.load(out / "pix2pix.npz"))
    alone = played.pop(1)
    assert len(alone) >= 2 * TICKS
    for together in played.values():
        assert alone.keys() == together.keys()
        for update, gradient in alone.items():
            error = np.linalg.norm(gradient - together[update]) / np.linalg.norm(gradient)
            assert error < 1e-9, update
