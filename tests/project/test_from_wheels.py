"""The template's plugin and our plugins, installed from wheels without a source tree."""

import os
import re
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

from ganzoo.testing.distribution import subjects_of
from ganzoo.testing.plugin_template import write_plugin
from helpers.paths import ROOT
from helpers.processes import run_python
from helpers.wheels import build, make_environment, pip, run

OURS = sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))
NAMES = [path.name for path in OURS]
# `ganzoo` with several commands in one process.
COMMANDS = """
import ganzoo, sys
from ganzoo.cli import main
assert "site-packages" in ganzoo.__file__, ganzoo.__file__
for line in sys.argv[1:]:
    assert main(line.split()) == 0, line
"""
PYTEST = "import sys, pytest; sys.exit(pytest.main(sys.argv[1:]))"


@pytest.fixture(scope="module")
def place(wheels, tmp_path_factory):
    """A folder with the source of acme-gans, and an environment with the wheels."""
    folder = tmp_path_factory.mktemp("place")
    source = write_plugin("acme-gans", folder / "acme-gans", importer=True)
    python = make_environment(folder / "environment", sources=False)
    pip(python, "install", "--ignore-installed", *wheels, *build([source], folder / "wheels"))
    return folder


@pytest.fixture(scope="module")
def suites(place):
    """The tests of acme-gans, and the conformance suites of our plugins."""
    for source in (place / "acme-gans", *OURS):
        shutil.copytree(source / "tests", place / "suites" / source.name)
    return place / "suites"


def in_environment(place, code, *arguments):
    """Run code in a fork of one process of that environment; return what it printed."""
    python = place / "environment" / "bin" / "python"
    result = run_python(code, *arguments, cwd=place, python=python)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def options(suites):
    return ["-q", "-p", "no:cacheprovider", "--disable-socket", "--allow-unix-socket", "--rootdir", suites]  # fmt: skip


def conformance(suites):
    return sorted(suites.glob("ganzoo-*/test_*_conformance.py"))


def test_everything_comes_from_the_wheels(place):
    names = ["ganzoo", "acme_gans", *(name.replace("-", "_") for name in NAMES)]
    script = (
        "import importlib, sys\nfor n in sys.argv[1:]: print(importlib.import_module(n).__file__)"
    )
    files = in_environment(place, script, *names).split()
    assert len(files) == len(names)
    assert all(Path(file).is_relative_to(place / "environment") for file in files), files


def test_plugins_are_listed(place):
    out = in_environment(place, COMMANDS, "plugins")
    assert set(re.findall(r"^(\S+) \d\S*$", out, re.MULTILINE)) >= set(NAMES)
    lines = out.split("acme-gans 0.1.0\n")[1].splitlines()[:3]
    assert [line.split() for line in lines] == [
        ["recipes", "acme-gans"],
        ["architectures", "acme-gans"],
        ["losses", "acme-gans"],
    ]


def test_the_template_trains_exports_and_loads(place):
    short = "--images 128 --monitors off --out"
    out = in_environment(
        place, COMMANDS,
        f"train acme-gans {short} run",
        "export run -o bundle",
        *(f"sample ./bundle -n 4 -o {runtime}.png --runtime {runtime}" for runtime in ("torch", "onnx")),
        "info ./bundle",
        f"train acme-gans --architecture dcgan --architecture.width 4 {short} their-networks",
        f"train dcgan-digits --architecture acme-gans --loss wgan-gp {short} their-loss",
    )  # fmt: skip
    assert out.count("trained on 128 images") == 3
    assert "torch and onnxruntime differ by at most" in out
    assert "acme-gans>=0.1.0" in out
    for runtime in ("torch", "onnx"):
        picture = Image.open(place / f"{runtime}.png")
        assert picture.size == (152, 152), "four images of 16 pixels, with margins, enlarged"


def checks_of(distribution):
    return {f"{s.label}: {check.__name__}" for s in subjects_of(distribution) for check in s.checks}


def test_the_templates_suite_passes(place, suites):
    report = place / "found.xml"
    in_environment(
        place, PYTEST, *options(suites), "--junit-xml", report, suites / "acme-gans"
    )  # fmt: skip
    cases = list(ElementTree.parse(report).iter("testcase"))
    passed = {case.get("name") for case in cases if not len(case)}
    skipped = {case.get("name") for case in cases} - passed
    assert passed >= {
        f"test_it[{kind} acme-gans: {check}]"
        for kind, checks in {
            "architecture": ("imports_quietly", "trains", "resumes", "exports", "keeps_its_names"),
            "loss": ("returns_terms", "trains", "resumes"),
            "recipe": ("loads", "is_complete"),
            "importer": ("loads", "needs_no_torch", "has_free_options"),
        }.items()
        for check in checks
    }
    with_a_file = ("converts", "accounts_for_all_tensors", "recognises_no_other_file")
    assert passed >= {f"test_it[{check}]" for check in with_a_file}
    assert skipped == {"test_it[architecture acme-gans: uses_labels]"} | {
        f"test_it[importer acme-gans: {check}]" for check in with_a_file
    }


def test_every_check_of_our_plugins_is_collected(place, suites):
    """The suites run in the source tree."""
    out = in_environment(
        place, PYTEST, *options(suites), "--collect-only", *conformance(suites)
    )  # fmt: skip
    names = set(re.findall(r"::test_it\[(.*)\]$", out, re.MULTILINE))
    for name in NAMES:
        assert checks_of(name) <= names


@pytest.mark.slow
def test_the_suites_of_our_plugins_pass(place, suites):
    """Run them in a separate process, without modules that pytest has imported."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    python = place / "environment" / "bin" / "python"
    report = place / "ours.xml"
    run(
        python, "-m", "pytest", *options(suites), "--junit-xml", report, *conformance(suites),
        cwd=suites, env=environment, timeout=1800,
    )  # fmt: skip
    cases = ElementTree.parse(report).iter("testcase")
    passed = {case.get("name") for case in cases if not len(case)}
    for name in NAMES:
        expected = {f"test_it[{check}]" for check in checks_of(name)}
        assert len(expected & passed) >= 20, name
