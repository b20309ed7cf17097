"""The template's plugin and our own, as users get them: wheels, and no source tree to be seen."""

import os
import re
import shutil
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

from ganzoo.testing.plugin_template import write_plugin
from helpers.paths import ROOT
from helpers.wheels import build, make_environment, pip, run

OURS = sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))
LEAST = 30  # checks that pass in a suite
# `ganzoo` with several commands in one process, which imports torch once.
COMMANDS = """
import ganzoo, sys
from ganzoo.cli import main
assert "site-packages" in ganzoo.__file__, ganzoo.__file__
for line in sys.argv[1:]:
    assert main(line.split()) == 0, line
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with the source of acme-gans, and an environment that the wheels are in."""
    folder = tmp_path_factory.mktemp("wheels")
    sources = [ROOT, write_plugin("acme-gans", folder / "acme-gans"), *OURS]
    python = make_environment(folder / "environment", sources=False)
    pip(python, "install", "--ignore-installed", *build(sources, folder / "wheels"))
    return folder


def in_environment(place, *arguments, **options):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    python = place / "environment" / "bin" / "python"
    return run(python, *arguments, env=environment, **options)


def test_everything_comes_from_the_wheels(place):
    names = ["ganzoo", "acme_gans", *(path.name.replace("-", "_") for path in OURS)]
    script = (
        "import importlib, sys\nfor n in sys.argv[1:]: print(importlib.import_module(n).__file__)"
    )
    found = in_environment(place, "-c", script, *names, cwd=place).split()
    assert len(found) == len(names) == 5
    assert all(Path(file).is_relative_to(place / "environment") for file in found), found


def test_they_are_listed(place):
    said = in_environment(place, "-m", "ganzoo", "plugins", cwd=place)
    assert set(re.findall(r"^(\S+) \d\S*$", said, re.MULTILINE)) >= {p.name for p in OURS}
    listed = said.split("acme-gans 0.1.0\n")[1].splitlines()[:3]
    assert [line.split() for line in listed] == [
        ["recipes", "acme-gans"],
        ["architectures", "acme-gans"],
        ["losses", "acme-gans"],
    ]


def test_the_templates_trains_alone_and_with_ours_exports_and_loads(place):
    short = "--images 128 --monitors off --out"
    said = in_environment(
        place, "-c", COMMANDS,
        f"train acme-gans {short} run",
        "export run -o bundle",
        *(f"sample ./bundle -n 4 -o {runtime}.png --runtime {runtime}" for runtime in ("torch", "onnx")),
        "info ./bundle",
        f"train acme-gans --architecture dcgan --architecture.width 4 {short} their-networks",
        f"train dcgan-digits --architecture acme-gans --loss wgan-gp {short} their-loss",
        cwd=place,
    )  # fmt: skip
    assert said.count("trained on 128 images") == 3
    assert "torch and onnxruntime differ by at most" in said
    assert "acme-gans>=0.1.0" in said
    for runtime in ("torch", "onnx"):
        picture = Image.open(place / f"{runtime}.png")
        assert picture.size == (38, 38), "four images of 16 pixels, with margins"


def test_their_suites_pass(place):
    """All of the template's tests, and of our plugins those that every plugin has to pass."""
    suites = place / "suites"
    for source in (place / "acme-gans", *OURS):
        shutil.copytree(source / "tests", suites / source.name)
    files = suites.glob("ganzoo-*/test_*_conformance.py")
    options = ["-q", "-p", "no:cacheprovider", "--disable-socket", "--allow-unix-socket"]
    options += ["--rootdir", suites, "--junit-xml", place / "found.xml"]
    in_environment(
        place, "-m", "pytest", *options, suites / "acme-gans", *sorted(files), cwd=suites
    )
    passed = Counter(
        case.get("classname").split(".")[0]
        for case in ElementTree.parse(place / "found.xml").iter("testcase")
        if not len(case)
    )
    assert set(passed) == {"acme-gans", *(path.name for path in OURS)}
    assert min(passed.values()) >= LEAST, passed
