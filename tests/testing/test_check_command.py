"""`ganzoo check`, and the same checks under pytest."""

import os
import re

import pytest

from ganzoo.cli import main
from ganzoo.testing.distribution import subjects_of
from helpers.distributions import install
from helpers.processes import run_new, run_python

RIGHT = """
from pathlib import Path
import torch
from torch.utils.data import TensorDataset
from ganzoo import DataSpec, ImageSpec

def grey(root: Path | None) -> tuple[TensorDataset, DataSpec]:
    images = torch.full((8, 1, 4, 4), 128, dtype=torch.uint8)
    spec = DataSpec(ImageSpec(4, 4, 1), license="cc0-1.0", origin="grey, made here")
    return TensorDataset(images, torch.zeros(8, dtype=torch.int64)), spec
"""


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    return tmp_path / "site"


def check(capsys, *args):
    """Return exit status, the lines of each registered part, and standard error."""
    status = main(["check", *args])
    out, err = capsys.readouterr()
    parts = re.split(r"^(?=\S)", out, flags=re.MULTILINE)[1:]
    return status, {part.splitlines()[0]: part.splitlines()[1:] for part in parts}, err


def test_each_check_is_one_line(site, capsys):
    install(
        site,
        "acme-data",
        {"datasets": {"grey": "acme_data:grey", "gray": "acme_data:gray"}},
        acme_data=RIGHT,
    )
    status, blocks, err = check(capsys, "acme-data")
    assert status == 1
    assert set(blocks) == {"dataset grey", "dataset gray"}
    assert blocks["dataset grey"][0] == (
        "  ok          loads: It loads, and has the type of its group of entry points."
    )
    assert all(line.startswith("  ok ") for line in blocks["dataset grey"])
    failed, *rest = blocks["dataset gray"]
    assert failed == (
        '  FAILED      loads: ganzoo.datasets: gray = "acme_data:gray" does not load: '
        "AttributeError: module 'acme_data' has no attribute 'gray'. Correct that line or the "
        "object it names, and reinstall the distribution."
    )
    assert "  not checked opens: the check 'loads' fails, and this check depends on it." in rest
    assert "error: acme-data fails checks for plugins: 1 FAILED, 12 ok, 7 not che" in err

    status, blocks, err = check(capsys, "Acme_Data", "grey")
    assert (status, set(blocks), err) == (0, {"dataset grey", "10 ok"}, "")

    expectation = "dataset gray: loads=it is spelt grey = not gray"
    status, blocks, err = check(capsys, "acme-data", "--expect", expectation)
    assert (status, err) == (0, "")
    assert blocks["dataset gray"][0] == "  expected failure loads: it is spelt grey = not gray"

    status, blocks, err = check(capsys, "acme-data", "grey", "--expect", "dataset grey: opens=?")
    assert status == 1
    assert "  FAILED      opens: opens passes, but is expected to fail because ?" in str(blocks)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["acme-dato"], "no distribution named 'acme-dato' is installed. Did you mean 'acme-data'"),
        (["acme-data", "gery"], "acme-data registers nothing named 'gery'. Did you mean 'grey'?"),
        (["pip"], "pip is installed, but registers nothing for ganzoo"),
        (
            ["acme-typo"],
            "acme-typo registers 'grey' in 'ganzoo.dataset', which is not a group of ganzoo's. Did "
            "you mean 'ganzoo.datasets'?",
        ),
        (
            ["acme-data", "--expect", "dataset grey: open=?"],
            "the expected failure 'dataset grey: open' names no check. Did you "
            "mean 'dataset grey: opens'?",
        ),
    ],
)
def test_missing_names_are_refused(site, capsys, args, message):
    install(site, "acme-data", {"datasets": {"grey": "acme_data:grey"}}, acme_data=RIGHT)
    install(site, "acme-typo", {"dataset": {"grey": "acme_data:grey"}})
    status, _, err = check(capsys, *args)
    assert status == 1
    assert f"error: {message}" in err


def test_a_distribution_outside_the_allowed_ones_is_refused(site, capsys, monkeypatch):
    install(site, "acme-data", {"datasets": {"grey": "acme_data:grey"}}, acme_data=RIGHT)
    monkeypatch.setenv("GANZOO_PLUGINS", "other")
    status, _, err = check(capsys, "acme-data")
    assert status == 1
    assert "if GANZOO_PLUGINS is set, it must list the plugin" in err


def test_arguments_of_unregistered_parts_are_refused():
    with pytest.raises(KeyError, match="'architecture dcgann'.*Did you mean 'architecture dcgan'"):
        subjects_of("torch-ganzoo", arguments={"architecture dcgann": {"width": 4}})


TESTS = (
    RIGHT
    + """
import os, pytest, ganzoo
from ganzoo.testing import ArchitectureSuite, DatasetSuite, PluginSuite

@ganzoo.datasets.register("nameless")
def nameless(root: Path | None) -> tuple[TensorDataset, DataSpec]:
    return grey(root)[0], DataSpec(ImageSpec(4, 4, 1), license="cc0-1.0")

@ganzoo.datasets.register("kept")
def kept(root: Path | None) -> tuple[TensorDataset, DataSpec]:
    if root is None or not (root / "grey").exists():
        raise ganzoo.errors.DataNotFoundError(f"no grey in {root}")
    return grey(root)

class TestRoot(DatasetSuite):
    name = "kept"
    @pytest.fixture
    def root(self, tmp_path):
        (tmp_path / "grey").touch()
        return tmp_path

class TestNoRoot(DatasetSuite):
    name = "kept"

class TestKnown(DatasetSuite):
    name = "nameless"
    expected_failures = {"names_its_origin": "nobody knows", "opens": "it is shy"}

class TestUnknown(DatasetSuite):
    name = "nameless"
    expected_failures = {"says_its_orign": "nobody knows"}

class TestTypo(ArchitectureSuite):
    name = "dcgann"

class TestMlp(ArchitectureSuite):
    name, arguments, partners = "mlp", {"latent_dim": 4, "width": 4}, {"lsgan": {}}
"""
)


@pytest.mark.parametrize("snapshots", [False, True])
def test_suites(tmp_path, snapshots):
    (tmp_path / "test_mine.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    only = "TestMlp and names" if snapshots else "not TestMlp or names"
    code = f"import sys, pytest; sys.exit(pytest.main(['-rA', '-q', '-k', {only!r}]))"
    environment = {"GANZOO_SNAPSHOTS": "write"} if snapshots else {}
    result = run_python(code, cwd=tmp_path, env=_environment() | environment)
    lines = result.stdout.splitlines()
    verdicts = {
        test.removeprefix("test_mine.py::").replace("::test_it", ""): (verdict, message)
        for verdict, test, message in (
            re.fullmatch(r"(\w+) (\S+?)(?: - (.*))?", line).groups()
            for line in lines
            if re.match(r"(PASSED|FAILED|XFAIL|ERROR) test_mine", line)
        )
    }
    if snapshots:
        assert verdicts["TestMlp[keeps_its_names]"][0] == "PASSED"
        assert (tmp_path / "snapshots" / "mlp.json").is_file()
        return
    assert {v for t, (v, _) in verdicts.items() if "TestRoot" in t} == {"PASSED"}
    assert verdicts["TestNoRoot[reports_missing_files]"][0] == "PASSED"
    assert "TestNoRoot[opens]" not in verdicts, "it is skipped"
    assert "its files are not found" in result.stdout
    assert verdicts["TestKnown[names_its_origin]"] == ("XFAIL", "nobody knows")
    assert verdicts["TestKnown[opens]"][0] == "FAILED"
    assert "opens passes, but is expected to fail because it is shy" in result.stdout
    assert verdicts["TestUnknown[names_its_origin]"][0] == "FAILED"
    assert verdicts["TestUnknown::test_expected_failures_name_checks"][0] == "FAILED"
    assert "Did you mean 'names_its_origin'?" in result.stdout
    assert verdicts["TestTypo[loads]"][0] == "FAILED"
    assert "no architecture named 'dcgann'. Did you mean 'dcgan'?" in result.stdout
    assert verdicts["TestMlp[keeps_its_names]"][0] == "FAILED"
    assert "run GANZOO_SNAPSHOTS=write pytest, and commit" in result.stdout


def _environment():
    return {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}


def test_the_checks_need_no_pytest(tmp_path):
    code = """
import sys
sys.modules["pytest"] = None
from ganzoo.testing.distribution import subjects_of
assert subjects_of("torch-ganzoo")
import ganzoo.testing
assert "torch" in sys.modules
try:
    ganzoo.testing.ArchitectureSuite
except ganzoo.errors.MissingExtraError as error:
    print(error)
"""
    result = run_python(code)
    assert result.returncode == 0, result.stderr
    assert "pip install pytest, or use the command: ganzoo check" in result.stdout


def test_the_testing_import_is_light():
    result = run_new("-c", "import sys, ganzoo.testing; assert 'torch' not in sys.modules")
    assert result.returncode == 0, result.stderr
