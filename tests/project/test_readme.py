"""Run every code block of the README."""

import re

import pytest

import ganzoo
from helpers.pages import blocks_of, run_block
from helpers.paths import ROOT
from helpers.steps import Steps

PAGE = ROOT / "README.md"
README, BLOCKS = PAGE.read_text(), blocks_of(PAGE)
ZOO = (ROOT / "docs" / "zoo.md").read_text()

# Commands that other tests run in full, with their lines in the README.
ELSEWHERE = {
    "make demo": "tests/cli/test_quickstart.py",
    "make test": "this very run",
    "pip install": "tests/project/test_package.py",
    "ganzoo demo": "tests/demo/test_demo_page.py",
    "torchrun": "tests/sampling/test_shards.py",
    "pytest acme-gans": "tests/project/test_from_wheels.py",
    "ganzoo train acme-gans": "tests/project/test_from_wheels.py",
    "ganzoo check acme-gans": "tests/project/test_plugin_page.py",
    "sudo apt": "a fresh machine",
    "git clone": "a fresh machine",
}

EXTRACTORS = {"mnist": "lenet-mnist@1", "fashion": "lenet-fashion@1", "tinyhero": "pixels"}


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The blocks, in one folder."""
    folder = tmp_path_factory.mktemp("readme")
    return Steps(lambda *block: run_block(folder, *block, tuple(ELSEWHERE)), BLOCKS)


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(k, id=f"{language}-{block.splitlines()[0][:40]}")
        for k, (language, block) in enumerate(BLOCKS)
    ],
)
def test_block(page, number):
    page.run_to(number)


def test_there_are_blocks():
    assert {language for language, _ in BLOCKS} >= {"python", "bash"}


def test_the_values_of_the_models_equal_their_cards():
    rows = dict(re.findall(r"^\| \[`([a-z0-9-]+)`\].* \| ([^|]+ \| [^|]+ \| [^|]+) \|$", ZOO, re.M))
    translators = {n for n in ganzoo.list_models() if "condition" in ganzoo.info(n).inputs}
    assert set(rows) == set(ganzoo.list_models()) - translators
    assert all(f"[`{name}`](../model_cards/{name}.md)" in ZOO for name in translators)
    for name, row in rows.items():
        (evaluation,) = ganzoo.info(name).provenance["metrics"]
        figures = evaluation["metrics"]
        assert evaluation["protocol"]["samples"] == 10_000
        assert evaluation["protocol"]["extractor"] == EXTRACTORS[name.rpartition("-")[2]]
        assert row == (
            f"{figures['frechet_distance']:.4g} | {figures['precision']:.2f} | "
            f"{figures['recall']:.2f}"
        )


def test_the_readme_is_short():
    lines = README.splitlines()
    assert len(lines) <= 120
    assert max(map(len, lines)) <= 100
