"""The fuzzer of recipes, checkpoints and cards: a short run of each, and that it keeps findings."""

import sys
from dataclasses import replace

import pytest

from helpers.paths import ROOT

sys.path.insert(0, str(ROOT / "tools"))
import fuzz_files


@pytest.fixture
def hunt(tmp_path, monkeypatch):
    monkeypatch.setenv("GANZOO_CACHE", str(tmp_path / "cache"))

    def run(kind, **options):
        return fuzz_files.hunt(kind, tmp_path / "findings", seconds=30, seed=3, **options)

    return run


@pytest.mark.parametrize(("kind", "cases"), [("recipe", 60), ("checkpoint", 30), ("card", 15)])
def test_mutated_files_are_read_or_refused_in_one_line(hunt, kind, cases, tmp_path, capfd):
    count, findings = hunt(kind, cases=cases)
    assert findings == 0, capfd.readouterr().out
    assert 0 < count <= cases
    assert not (tmp_path / "findings").exists()


def test_a_finding_is_kept_and_can_be_repeated(hunt, tmp_path, monkeypatch):
    def broken(file):
        raise KeyError("shape")

    target = fuzz_files.TARGETS["recipe"]
    monkeypatch.setitem(fuzz_files.TARGETS, "recipe", replace(target, run=broken))
    assert hunt("recipe", first=7, cases=2) == (2, 2)
    folder = tmp_path / "findings" / "recipe" / "7"
    assert "KeyError: 'shape'" in (folder / "what.txt").read_text()
    first = (folder / "recipe.toml").read_bytes()
    hunt("recipe", first=7, cases=1)
    assert (folder / "recipe.toml").read_bytes() == first
