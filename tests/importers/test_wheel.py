"""The walk of docs/importing.md, where the wheel can be had."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import ganzoo
from helpers.paths import ROOT
from helpers.processes import run_cli

WALK = (ROOT / "docs" / "importing.md").read_text().partition("## A walk")[2].partition("\n## ")[0]
COMMANDS = [line.strip() for line in WALK.splitlines() if line.startswith("    ")]


@pytest.mark.slow
def test_the_walk_ends_in_the_picture_of_the_page(tmp_path):
    for command in COMMANDS:
        program, *arguments = command.split()
        if program == "ganzoo":
            result = run_cli(*arguments, cwd=tmp_path)
            assert result.returncode == 0, result.stderr
        else:
            module = ["-m", "pip", *arguments] if program == "pip" else arguments
            done = subprocess.run(
                [sys.executable, *module], cwd=tmp_path, capture_output=True, text=True, timeout=300
            )
            if program == "pip" and done.returncode:
                pytest.skip(f"the wheel cannot be had: {done.stderr[-200:]}")
            assert done.returncode == 0, done.stderr
    spec = ganzoo.info(tmp_path / "faces")
    assert spec.license == "mit"
    assert spec.provenance["imported"]["importer"] == "dcgan-sequential"
    actual = np.asarray(Image.open(tmp_path / "faces.png"), int)
    expected = np.asarray(Image.open(ROOT / "docs" / "images" / "imported-faces.png"), int)
    assert np.abs(actual - expected).max() <= 1, "a processor may round a pixel to its neighbour"
