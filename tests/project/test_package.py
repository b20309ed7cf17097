"""The wheel, installed in a separate environment."""

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import numpy as np
import pytest
from packaging.requirements import Requirement
from PIL import Image

from helpers.paths import ROOT
from helpers.wheels import make_environment_of


def run(*command, **options):
    result = subprocess.run(
        [str(c) for c in command], capture_output=True, text=True, timeout=600, **options
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def wheel(wheels):
    (path,) = (path for path in wheels if path.name.startswith("torch_ganzoo-"))
    return path


@pytest.fixture(scope="module", params=["links", pytest.param("index", marks=pytest.mark.slow)])
def base(request, wheel, tmp_path_factory):
    """An environment with the base install and nothing else.

    Requirements are links to this environment's packages, or come from the package index.
    """
    folder = tmp_path_factory.mktemp("base")
    if request.param == "links":
        return make_environment_of(wheel, folder / "venv")
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, ROOT)
    (built,) = folder.glob("*.whl")
    run(sys.executable, "-m", "venv", folder / "venv")
    python = folder / "venv" / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", built)
    return python


def test_the_wheel_contains_exactly_the_package(wheel):
    assert wheel.stat().st_size < 20_000_000
    names = zipfile.ZipFile(wheel).namelist()
    for name in (
        "ganzoo/py.typed",
        "ganzoo/builtin/recipes/dcgan-mnist.toml",
        "ganzoo/builtin/pretrained/dcgan-mnist/model.onnx",
        "ganzoo/builtin/pretrained/dcgan-mnist/SHA256SUMS",
        "ganzoo/testing/plugin_template/files/pyproject.toml.template",
        "ganzoo/testing/suites.py",
        "ganzoo/exporters/targets/page/index.html",
        "ganzoo/exporters/targets/page/latents.js",
    ):
        assert name in names
    assert all(n.startswith(("ganzoo/", "torch_ganzoo-")) for n in names)
    assert not any("__pycache__" in n or Path(n).match("test_*.py") for n in names)


def test_the_base_install_loads_samples_and_lists_without_torch(base, tmp_path):
    script = """
import importlib.util, pathlib, ganzoo
assert importlib.util.find_spec("torch") is None
assert "site-packages" in ganzoo.__file__, ganzoo.__file__
assert "dcgan-mnist" in ganzoo.list_models()
from ganzoo.cli import main
assert main(["list"]) == 0
model = ganzoo.load("dcgan-mnist")
assert model.sample(64, seed=0).numpy().shape == (64, 28, 28, 1)
assert ganzoo.info("dcgan-mnist").data.classes == 10
"""
    assert "dcgan-mnist" in run(base, "-c", script, cwd=tmp_path)
    command = Path(base).with_name("ganzoo")
    run(command, "sample", "dcgan-mnist", "-o", "grid.png", cwd=tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["grid.png"]
    result = subprocess.run(
        [str(command), "train", "dcgan-digits"], capture_output=True, text=True, cwd=tmp_path
    )
    assert result.returncode == 1
    assert "pip install '.[train]'" in result.stderr
    assert "Traceback" not in result.stderr


def test_installed_models_give_the_images_of_the_source_tree(base, tmp_path):
    import ganzoo

    run(
        base,
        "-c",
        "import ganzoo; ganzoo.load('dcgan-mnist').sample(16).save('a.png')",
        cwd=tmp_path,
    )
    ganzoo.load("dcgan-mnist", runtime="onnx").sample(16).save(tmp_path / "b.png")
    a, b = (np.asarray(Image.open(tmp_path / name)).astype(int) for name in ("a.png", "b.png"))
    assert np.abs(a - b).max() <= 1


def test_importing_has_no_side_effects(base, tmp_path):
    script = """
import os, sys, threading, signal, warnings, logging
before = (dict(os.environ), os.getcwd(), signal.getsignal(signal.SIGINT), list(warnings.filters),
          logging.root.level, threading.active_count())
import ganzoo
after = (dict(os.environ), os.getcwd(), signal.getsignal(signal.SIGINT), list(warnings.filters),
         logging.root.level, threading.active_count())
assert before == after
"""
    assert run(base, "-c", script, cwd=tmp_path) == ""
    assert not list(tmp_path.iterdir())


def test_requirements_have_lower_bounds_and_no_pins():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [r for group in project["optional-dependencies"].values() for r in group]
    for text in project["dependencies"] + extras:
        requirement = Requirement(text)
        operators = {s.operator for s in requirement.specifier}
        assert operators <= {">=", "<"}, text
        assert ">=" in operators or requirement.name == "torch-ganzoo", text
